"""Analysis: records to tables, measures, figures and reports; never imports Keras."""
