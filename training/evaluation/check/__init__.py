"""Evaluation of the check: planted frauds, honest pictures, ranks."""
