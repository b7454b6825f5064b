"""Focus through a stack of planes."""
