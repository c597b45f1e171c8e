"""Models: the builder of networks, and its encoders."""
