"""Which runs a sweep has: points of loss weights, a search over them, and who goes on."""
