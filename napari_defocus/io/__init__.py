"""Image files: TIFF (plain, OME, ImageJ), PNG and JPEG, read and written with their metadata."""

from .files import check_target, target_format, writing
from .picture import Length, Metadata, Picture, Resolution
from .read import read_picture
from .write import check_fits, write_picture

__all__ = [
    "Length",
    "Metadata",
    "Picture",
    "Resolution",
    "check_fits",
    "check_target",
    "read_picture",
    "target_format",
    "write_picture",
    "writing",
]
