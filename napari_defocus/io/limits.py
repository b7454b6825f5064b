"""Limits on the memory that a decoder may allocate for an image file."""

import os
from pathlib import Path

from ..errors import FileError

#: Pixels of a PNG or JPEG file: a few bytes can claim billions.
LARGEST_PICTURE = 500_000_000
#: Bytes of pixels that any file may hold, however small it is compressed.
_ALWAYS_ALLOWED = 1 << 30
#: Ratio of pixels to file in bytes: even blank pixels are not compressed by more.
_LARGEST_RATIO = 20_000


def check_memory(path: Path, size: int, *, held: int | None = None) -> None:
    """Refuse an image that this machine cannot hold, or that a small file only claims to hold.

    Parameters
    ----------
    path : pathlib.Path
        The file, for messages.
    size : int
        Bytes of the decoded pixels.
    held : int, optional
        Bytes of all files that hold the pixels, if `path` is only one of them.

    Raises
    ------
    FileError
        If the pixels need more memory than the machine has, or more than 1 GiB from a file that is
        over 20 000 times smaller.
    """
    memory = _machine_memory()
    if memory and size > memory:
        raise FileError(
            f"{path} holds {size / 2**30:.1f} GiB of pixels, more than the "
            f"{memory / 2**30:.1f} GiB of memory of this machine; crop or split it first"
        )
    if held is None:
        held = path.stat().st_size
    if size > max(_ALWAYS_ALLOWED, _LARGEST_RATIO * held):
        raise FileError(
            f"{path} is damaged: {held} bytes claim to hold {size / 2**30:.1f} GiB of pixels"
        )


def check_pixels(path: Path, width: int, height: int) -> None:
    """Refuse a PNG or JPEG file that claims more pixels than any photograph has."""
    if width * height > LARGEST_PICTURE:
        raise FileError(
            f"{path} claims {width} x {height} pixels; pictures of up to "
            f"{LARGEST_PICTURE // 10**6} megapixels are read from PNG and JPEG files"
        )


def _machine_memory() -> int | None:
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return None
