"""Many files: planned before work begins, done one by one, taken up again where it ended."""
