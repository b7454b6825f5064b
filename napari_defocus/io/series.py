"""Files that hold several images: paths of these, ``scan.lif/2``, and words for the others."""

import os
import re
from pathlib import Path

from ..errors import FileError

#: What follows the name of an OIF file in the name of the folder with its planes.
PLANES = ".files"
_REGION = re.compile(r"tissue|\d{1,9}(,\d{1,9}){3}", re.ASCII)


def split_series(path: Path) -> tuple[Path, int | None]:
    """Return the file of a path, and the number of the image in it that the path names.

    Parameters
    ----------
    path : pathlib.Path
        A file, or an image in it: the file's path, a slash, and its number, counted from 0.

    Returns
    -------
    file : pathlib.Path
        The file.
    series : int or None
        Number of the image; None if the path names the file alone.

    Examples
    --------
    >>> split_series(Path(__file__) / "2")[1]
    2
    >>> split_series(Path("2")) == (Path("2"), None)
    True
    """
    name = path.name
    try:
        if name.isascii() and name.isdigit() and len(name) < 10 and path.parent.is_file():
            return path.parent, int(name)
    except (OSError, ValueError):
        pass  # it cannot be read, as is said when it is opened
    return path, None


def image_file(path: Path) -> Path:
    """Return the file of a path that may name an image in it, or a region of that.

    Examples
    --------
    >>> image_file(Path(__file__) / "1" / "tissue").name
    'series.py'
    """
    return split_series(split_region(path)[0])[0]


def path_exists(path: str | Path) -> bool:
    """Return whether there is a file, a folder or a link of this path, or the file of an image."""
    return os.path.lexists(image_file(Path(path)))


def plane_folder(path: Path) -> Path | None:
    """Return the folder that holds the planes of an OIF file; None for any other file."""
    folder = path.with_name(path.name + PLANES) if path.suffix.lower() == ".oif" else None
    return folder if folder is not None and folder.is_dir() else None


def split_region(path: Path) -> tuple[Path, str | None]:
    """Return the file or level of a slide that a path names, and the region behind it.

    Parameters
    ----------
    path : pathlib.Path
        ``slide.svs/tissue``, ``slide.svs/1/tissue``, or with ``left,top,width,height`` at the end.

    Examples
    --------
    >>> split_region(Path(__file__) / "1" / "10,20,300,200")[1]
    '10,20,300,200'
    >>> split_region(Path(__file__))[1] is None
    True
    """
    if not _REGION.fullmatch(path.name):
        return path, None
    try:
        is_file = split_series(path.parent)[0].is_file()
        return (path.parent, path.name) if is_file else (path, None)
    except (OSError, ValueError):
        return path, None  # it cannot be read, as is said when it is opened


def pick_series(path: Path, series: int | None, count: int) -> int:
    """Return the number of the image to read: the first one if none is named.

    Raises
    ------
    FileError
        If the file holds no image, or none of this number.
    """
    if count == 0:
        raise FileError(f"{path} holds no image")
    if series is not None and series >= count:
        there = "one image, number 0" if count == 1 else f"{count} images, 0 to {count - 1}"
        raise FileError(f"{path} has no image {series}; it holds {there}")
    return series or 0


def name_others(path: Path, series: int, count: int) -> str:
    """Return what is said of the images of a file that are not read.

    Examples
    --------
    >>> name_others(Path("scan.lif"), 0, 3)
    '2 further images, which are read as scan.lif/1 and scan.lif/2'
    >>> name_others(Path("scan.lif"), 0, 1)
    ''
    """
    others = [f"{path}/{number}" for number in range(count) if number != series]
    if not others:
        return ""
    if len(others) == 1:
        return f"a further image, which is read as {others[0]}"
    names = " and ".join(others) if len(others) == 2 else f"{others[0]} to {others[-1]}"
    return f"{len(others)} further images, which are read as {names}"
