"""OME-TIFF images whose planes lie in several files, and their companion files of OME-XML."""

from pathlib import Path
from xml.etree import ElementTree

from ..errors import FileError, reason
from . import exif, ome
from .limits import LARGEST_METADATA
from .regular_file import open_regular, read_regular

_DESCRIPTION = 270
#: Suffix of companion files: ``scan.companion.ome``.
COMPANION_SUFFIX = ".ome"


def set_files(path: Path) -> tuple[Path, ...]:
    """Return all files that hold the image of an OME-TIFF file or companion file.

    Parameters
    ----------
    path : pathlib.Path
        A TIFF file, or a companion file, whose first image counts.

    Returns
    -------
    tuple of pathlib.Path
        The TIFF files that exist, in the order of the OME-XML, then the companion file; empty if
        the image lies in one file alone, or if `path` cannot be understood.
    """
    try:
        companion, xml = _companion(path)
        names = ome.file_names(xml, path.name) if "FileName" in xml else ()
    except (OSError, ValueError, ElementTree.ParseError):
        return ()
    files = [path.with_name(name) for name in names if not set(name) & set("/\\:\0")]
    files = [file for file in files if file.is_file()]
    if companion is not None:
        files.append(companion)
    return tuple(files) if len(files) > 1 else ()


def companion_text(path: Path, xml: str) -> str | None:
    """Return the OME-XML of the companion file that an OME-TIFF file names, None if it names none.

    Raises
    ------
    FileError
        If that file cannot be read.
    """
    name = ome.companion_name(xml) if "BinaryOnly" in xml else None
    if name is None:
        return None
    if set(name) & set("/\\:\0"):
        raise FileError(f"{path} names {name} for its OME-XML; only a file in its folder is read")
    try:
        return _read(path.with_name(name))
    except (OSError, ValueError) as error:
        raise FileError(
            f"{path} lacks its OME-XML, {path.with_name(name)}: {reason(error)}"
        ) from error


def _companion(path: Path) -> tuple[Path | None, str]:
    """Return the companion file, if there is one, and the OME-XML that describes an image."""
    if path.suffix.lower() == COMPANION_SUFFIX:
        return path, _read(path)
    xml = _description(path)
    name = ome.companion_name(xml) if "BinaryOnly" in xml else None
    if name is None:
        return None, xml
    return path.with_name(name), companion_text(path, xml) or ""


def _read(path: Path) -> str:
    return read_regular(path, LARGEST_METADATA).decode("utf-8-sig")


def _description(path: Path) -> str:
    """Return the description of a TIFF file's first page; empty if that is no long text."""
    with open_regular(path.resolve()) as file:
        first = next(exif.directories(file), None)
        entry = [] if first is None else list(first[1][first[1]["tag"] == _DESCRIPTION])
        if not entry:
            return ""
        count, offset = int(entry[0]["count"]), int(entry[0]["value"])
        if not len("<OME></OME>") < count <= LARGEST_METADATA:
            return ""
        file.seek(offset)
        return file.read(count).decode("utf-8", "replace").strip(" \0\n\r\t")
