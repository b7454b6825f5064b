"""Batches of many files: planned before work begins, resumed where an earlier run ended."""
