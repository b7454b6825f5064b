"""Layers as arrays: what of them is worked on, where they lie, and what they were made from."""
