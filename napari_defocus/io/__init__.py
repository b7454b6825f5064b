"""Image files: TIFF (plain, OME, ImageJ), PNG, JPEG and OME-Zarr, with their metadata."""

from .files import check_target, target_format, writing
from .picture import Length, Metadata, Picture, Resolution
from .read import open_picture, read_picture
from .streaming import growing
from .write import as_picture, check_fits, write_picture

__all__ = [
    "Length",
    "Metadata",
    "Picture",
    "Resolution",
    "as_picture",
    "check_fits",
    "check_target",
    "growing",
    "open_picture",
    "read_picture",
    "target_format",
    "write_picture",
    "writing",
]
