"""Training loop in any number of processes, with checkpoints and a budget of time or steps."""
