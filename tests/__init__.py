"""The tests: the same tree as the source, and `house` for what belongs to no room."""
