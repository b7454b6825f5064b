"""The step *Map*."""
