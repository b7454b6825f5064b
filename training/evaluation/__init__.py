"""Scores of models and of classical methods, as tables and panels, and of the confidence."""
