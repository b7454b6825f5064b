"""Limits on the memory that a decoder may allocate for an image file."""

import os
from pathlib import Path

from ..errors import FileError

#: Pixels of a PNG or JPEG file, and of others for photographs: a few bytes can claim billions.
LARGEST_PICTURE = 500_000_000
#: Bytes of a file beside its pixels: metadata are not longer.
LARGEST_METADATA = 1 << 25
#: Bytes of pixels that any file may hold, however small it is compressed.
_ALWAYS_ALLOWED = 1 << 26
#: Ratio of pixels to file in bytes: the best codecs do not compress blank pixels by more.
LARGEST_RATIO = 32_768
#: That of deflate, as in PNG.
DEFLATE_RATIO = 1032
#: That of JPEG: one bit for each block of 8 x 8 values, of three colors with halved chroma.
JPEG_RATIO = 1024


def check_memory(path: Path, size: int) -> None:
    """Raise a FileError for pixels, `size` bytes of them, that this machine cannot hold."""
    memory = _machine_memory()
    if memory and size > memory:
        raise FileError(
            f"{path} holds {size / 2**30:.1f} GiB of pixels, more than the "
            f"{memory / 2**30:.1f} GiB of memory of this machine; crop or split it first"
        )


def check_claim(path: Path, size: int, held: int, ratio: float = LARGEST_RATIO) -> None:
    """Refuse a small file that only claims to hold many pixels.

    Parameters
    ----------
    path : pathlib.Path
        The file, for messages.
    size : int
        Bytes of the decoded pixels.
    held : int
        Bytes that hold the pixels.
    ratio : float
        Ratio by which blank pixels are compressed in this format.

    Raises
    ------
    FileError
        If these are more than 64 MiB, from data that are smaller by more than `ratio`.
    """
    if not is_plausible(size, held, ratio):
        raise FileError(
            f"{path} is damaged: {held} bytes claim to hold {size / 2**30:.1f} GiB of pixels"
        )


def is_plausible(size: int, held: int, ratio: float = LARGEST_RATIO) -> bool:
    """Return whether `held` bytes can hold pixels of `size` bytes; up to 64 MiB always may."""
    return size <= max(_ALWAYS_ALLOWED, ratio * held)


def check_pixels(path: Path, width: int, height: int) -> None:
    """Refuse a file that claims more pixels than any photograph has."""
    if width * height > LARGEST_PICTURE:
        raise FileError(
            f"{path} claims {width} x {height} pixels; pictures of up to "
            f"{LARGEST_PICTURE // 10**6} megapixels are read from files of this kind"
        )


def _machine_memory() -> int | None:
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return None
