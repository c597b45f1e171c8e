"""What the project adds to Hydra."""
