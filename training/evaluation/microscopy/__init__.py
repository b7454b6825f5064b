"""Scores on images of microscopes: rendered ones, whose truth is known, and real ones."""
