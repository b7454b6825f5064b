"""Files of unknown kinds, read by readers of napari's plugins through npe2, without Qt.

The code of a plugin runs then, as it does where napari opens the file; nothing but local files of
suffixes that no format of ours has is passed to it.
"""

import functools
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import FileError, reason
from ..image.layout import is_dask
from .limits import check_memory
from .picture import Length, Metadata, Picture
from .quiet import without_warnings

_IMAGES = ("image", "labels")
_SCRIPTS = (".py", ".pyw")  # napari's own reader runs them
_OURS = "napari-defocus"
_COLORS = (3, 4)


def read_with_plugins(path: Path) -> Picture | None:
    """Read the first image that a plugin makes of a file; None if none of them knows the file.

    Raises
    ------
    FileError
        If a plugin that says to know it cannot read it.
    """
    if find_spec("npe2") is None or path.suffix.lower() in _SCRIPTS:
        return None
    for plugin in _plugins_for(path):
        for data, options, kind in _layers(path, plugin):
            if kind in _IMAGES:
                return _picture(path, plugin, data, options)
    return None


@functools.cache
def _manager() -> Any:
    from npe2 import PluginManager

    manager = PluginManager.instance()
    manager.discover()
    return manager


def _plugins_for(path: Path) -> list[str]:
    """Return the names of plugins whose readers take files of this name."""
    with without_warnings():
        readers = list(_manager().iter_compatible_readers([str(path)]))
    names = dict.fromkeys(reader.plugin_name for reader in readers)
    return [name for name in names if name != _OURS]


def _layers(path: Path, plugin: str) -> Iterator[tuple[Any, dict[str, Any], str]]:
    """Yield data, options and kind of each layer that a plugin makes of a file."""
    from npe2 import io_utils

    refused = f"Reader {plugin!r} was selected"  # as npe2 begins if no reader takes the file
    with without_warnings():
        try:
            layers = io_utils.read([str(path)], plugin_name=plugin, stack=False)
        except Exception as error:  # the plugin can raise any exception
            if isinstance(error, ValueError) and str(error).startswith(refused):
                return
            text = f"{path} cannot be read by the plugin {plugin}: {reason(error)}"
            raise FileError(text) from error
    for layer in layers:
        if layer and layer[0] is not None:
            options = dict(layer[1] or {}) if len(layer) > 1 else {}
            yield layer[0], options, str(layer[2]) if len(layer) > 2 else "image"


def _picture(path: Path, plugin: str, data: Any, options: dict[str, Any]) -> Picture:
    if options.get("multiscale") or isinstance(data, (list, tuple)):
        data = data[0]
    if not is_dask(data):
        check_memory(path, int(getattr(data, "nbytes", 0)))
        data = np.asarray(data)
    if data.ndim < 2 or data.dtype.kind not in "biuf" or 0 in data.shape:
        raise FileError(
            f"{path}: the plugin {plugin} made an array of shape {data.shape} and type "
            f"{data.dtype} of it; an image of numbers is needed"
        )
    if data.dtype.kind == "b":
        data = data.astype(np.uint8) * 255
    axis = options.get("channel_axis")
    if axis is not None:
        data = np.moveaxis(data, int(axis), 0)
    rgb = options.get("rgb")
    if rgb is None:
        rgb = axis is None and data.ndim > 2 and data.shape[-1] in _COLORS
    planes = data.ndim - 2 - bool(rgb)
    axes = ("C" if axis is not None else "") + "Q" * (planes - (axis is not None)) + "YX"
    metadata = Metadata(pixel_size=_sizes(options))
    return Picture(data, axes + "S" * bool(rgb), metadata, read_by=f"the plugin {plugin}")


def _sizes(options: dict[str, Any]) -> dict[str, Length]:
    """Return the pixel sizes that a plugin names together with a unit."""
    scale, units = options.get("scale"), options.get("units")
    if scale is None or units is None or len(scale) < 2:
        return {}
    names = [units] * len(scale) if isinstance(units, str) else [str(unit) for unit in units]
    pairs = list(zip("YX", list(scale)[-2:], names[-2:], strict=True))
    if any("pixel" in unit or not float(size) > 0 for _, size, unit in pairs):
        return {}
    return {axis: Length(float(size), unit) for axis, size, unit in pairs}
