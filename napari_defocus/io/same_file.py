"""Comparison of paths on file systems that ignore case, or how accents are written."""

import os
import unicodedata
from pathlib import Path


def fold_path(path: Path) -> str:
    """Return a text that is equal for paths that some file systems take for the same file.

    Some ignore case, and some do not tell é from e followed by a combining accent.

    Examples
    --------
    >>> fold_path(Path("Photo.JPG")) == fold_path(Path("photo.jpg"))
    True
    """
    return unicodedata.normalize("NFC", os.path.realpath(path)).casefold()


def is_same_file(first: Path, second: Path) -> bool:
    """Return whether two paths, links resolved, are those of one file on their file system.

    Files that do not exist are the same where their paths are.

    Examples
    --------
    >>> is_same_file(Path("scans/a.tif"), Path("scans/../scans/a.tif"))
    True
    """
    if os.path.realpath(first) == os.path.realpath(second):
        return True
    if fold_path(first) != fold_path(second):
        return False
    return first.exists() and second.exists() and first.samefile(second)
