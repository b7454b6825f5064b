"""The step *Refocus*."""
