"""Weighting: methods, one a file, and the small solvers they share."""
