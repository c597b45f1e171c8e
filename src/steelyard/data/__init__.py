"""Data: sources, one a file, and what they are made of: files, columns, splits, batches."""
