"""Runs in worker threads: their progress, their end, and the window that they outlive."""
