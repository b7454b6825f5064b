"""Inference of any network over a plane of any size, in tiles, on any device."""
