"""The step *Check*."""
