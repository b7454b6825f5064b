"""The napari side: widgets, worker threads, sample data, layers to arrays and back.

Scripts use :func:`layer_map` and :func:`shapes_mask`; widgets are opened through napari.
"""

from .layer_map import layer_map
from .region_mask import shapes_mask

__all__ = ["layer_map", "shapes_mask"]
