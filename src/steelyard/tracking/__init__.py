"""Tracking: the record of a run, its key, and MLflow as the records' mirror."""
