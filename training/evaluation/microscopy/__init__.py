"""Scores on microscopy images: rendered ones with a true image, and real ones."""
