"""Choice of this plugin, in napari's preferences, as reader of files with names of maps."""

from typing import Any

_PLUGIN = "napari-defocus"
#: Names of files that napari opens as maps, without asking which of several readers to use.
PATTERNS = tuple(f"*-defocus{suffix}" for suffix in (".tif", ".tiff", ".ome.tif", ".ome.tiff"))


def prefer_own_reader(_: Any) -> None:
    """Let napari open files with names of maps by this plugin, unless the user chose another.

    napari knows patterns of names alone, and would ask for each file whether to read it as a map
    or, as any TIFF file, by itself. The choice stands among napari's preferences of plugins.
    """
    from napari.settings import get_settings

    plugins = get_settings().plugins
    missing = {each: _PLUGIN for each in PATTERNS if each not in plugins.extension2reader}
    if missing:  # ahead of patterns such as "*.tif", which are as long
        plugins.extension2reader = {**missing, **plugins.extension2reader}
