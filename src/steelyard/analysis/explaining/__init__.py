"""What a run's record says of it: who dominated, why, and what would help."""
