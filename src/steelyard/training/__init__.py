"""Training: the step, the fit, checkpoints, and what decides a run's numbers."""
