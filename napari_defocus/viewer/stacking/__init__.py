"""The step *Stack*."""
