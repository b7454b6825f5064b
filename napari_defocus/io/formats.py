"""Registry of file formats: suffixes and signatures, and the format that a path stands for."""

import os
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from ..errors import FileError, reason
from .regular_file import open_regular

Format = Literal["TIFF", "PNG", "JPEG", "zarr", "raw"]
StrPath = str | os.PathLike[str]

#: Formats that are written, by suffix.
SUFFIXES: dict[str, Format] = {
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".zarr": "zarr",
}
# fmt: off
#: Camera raw files, which are read only.
RAW_SUFFIXES = (
    ".arw", ".cr2", ".cr3", ".crw", ".dng", ".erf", ".mef", ".mrw", ".nef", ".nrw", ".orf", ".pef",
    ".raf", ".raw", ".rw2", ".srw", ".x3f",
)
# fmt: on
#: Formats by the first bytes of a file.
_SIGNATURES: tuple[tuple[bytes, Format], ...] = (
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"II+\0", "TIFF"),
    (b"MM\0+", "TIFF"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
)
_READABLE = "TIFF, PNG and JPEG files can be read"


def detect_format(path: Path) -> Format:
    """Return the format of a file by its first bytes, and of a folder or raw file by its suffix.

    Raises
    ------
    FileError
        If the path is missing, empty, cannot be opened, is a folder other than a zarr store, or
        holds no format that can be read.
    """
    try:
        if path.is_dir():
            if is_zarr_store(path):
                return "zarr"
            os.scandir(path).close()  # it may be a folder that cannot be read
            raise FileError(f"{path} is a folder; give the name of an image file or a zarr store")
        with open_regular(path) as file:
            head = file.read(16)
    except FileError:
        raise
    except (OSError, ValueError) as error:
        raise FileError(f"{path} cannot be read: {reason(error)}") from error
    if not head:
        raise FileError(f"{path} is empty; {_READABLE}")
    if path.suffix.lower() in RAW_SUFFIXES:
        return "raw"
    for signature, file_format in _SIGNATURES:
        if head.startswith(signature):
            return file_format
    raise FileError(f"{path} is not an image of a known kind; {_READABLE}")


def target_format(path: Path) -> Format:
    """Return the format in which a file of this name is written.

    Raises
    ------
    FileError
        If no format that can be written has this suffix.
    """
    file_format = SUFFIXES.get(path.suffix.lower())
    if file_format is None:
        suffix = f"the suffix {path.suffix!r}" if path.suffix else "no suffix"
        raise FileError(f"{path} has {suffix}; it should be one of {', '.join(SUFFIXES)}")
    return file_format


def readable_suffixes() -> tuple[str, ...]:
    """Return the suffixes of all files that can be read; raw files need the package rawpy."""
    return (*SUFFIXES, *(RAW_SUFFIXES if find_spec("rawpy") else ()))


def is_zarr_store(path: Path) -> bool:
    """Return whether a path is a folder with the suffix of a zarr store."""
    return SUFFIXES.get(path.suffix.lower()) == "zarr" and path.is_dir()
