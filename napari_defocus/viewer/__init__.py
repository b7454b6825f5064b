"""The napari side: widgets, worker threads, sample data, layers to arrays and back.

Scripts use :func:`layer_map`; widgets are opened through napari.
"""

from .map_source import layer_map

__all__ = ["layer_map"]
