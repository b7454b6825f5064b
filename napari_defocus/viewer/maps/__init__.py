"""Layers that hold defocus maps."""
