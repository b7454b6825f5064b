"""Image files with their metadata; `FORMATS` in :mod:`napari_defocus.io.formats` lists them."""

from .atomic import atomic_file, check_target
from .depth_map import read_depth_map
from .formats import target_format
from .picture import Length, Metadata, Picture, Resolution
from .picture_options import resolve_options
from .read import open_picture, read_picture
from .streaming import open_streaming
from .write import as_picture, check_fits, map_template, write_picture

__all__ = [
    "Length",
    "Metadata",
    "Picture",
    "Resolution",
    "as_picture",
    "atomic_file",
    "check_fits",
    "check_target",
    "map_template",
    "open_picture",
    "open_streaming",
    "read_depth_map",
    "read_picture",
    "resolve_options",
    "target_format",
    "write_picture",
]
