"""The napari side: widgets, worker threads, sample data, layers to arrays and back.

Scripts use :func:`layer_map` and :func:`shapes_mask`; widgets are opened through napari.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .layers.region_mask import shapes_mask
    from .maps.layer_to_map import layer_map

__all__ = ["layer_map", "shapes_mask"]

_MODULE_OF = {"layer_map": "maps.layer_to_map", "shapes_mask": "layers.region_mask"}


def __getattr__(name: str) -> Any:
    """Load what is used; napari starts the plugin without it."""
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_MODULE_OF[name]}", __name__), name)
