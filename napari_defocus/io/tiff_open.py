"""Opening of TIFF files with tifffile, whose complaints about damage are gathered."""

import logging
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import tifffile

from .limits import LARGEST_METADATA
from .ome_sets import companion_text
from .regular_file import open_regular
from .tiff_checks import check_description, check_directories, check_pages

_FIRST_PRIVATE_TAG = 32768
_MOST_COMPLAINTS = 200


@contextmanager
def open_tiff(path: Path) -> Iterator[Any]:
    """Open a TIFF file, whose directories and description are checked first."""
    # Files that OME-XML names lie beside the file itself, not beside a link to it.
    with open_regular(path.resolve()) as file:
        directories = check_directories(file, path)
        with tifffile.TiffFile(file) as tiff:
            check_pages(path, tiff, directories)
            text = companion_text(path, tiff.pages.first.description)
            if text is None:
                yield tiff
                return
        check_description(path, text, directories)
        file.seek(0)
        with tifffile.TiffFile(file, omexml=text) as tiff:
            yield tiff


def own_series(tiff: Any) -> int:
    """Return the index of the first series with pages in a file itself; 0 if none has."""
    name = tiff.filehandle.name
    for index, series in enumerate(tiff.series):
        pages = (page for page in series.pages if page is not None)
        if any(page.parent.filehandle.name == name for page in pages):
            return index
    return 0


def tag_value(page: Any, code: int, missing: Any) -> Any:
    """Return the value of a tag, or `missing` if it is missing, damaged or very long."""
    tag = page.tags.get(code)
    value = None if tag is None or tag.valuebytecount > LARGEST_METADATA else tag.value
    return missing if value is None else value


@contextmanager
def gather_complaints() -> Iterator[list[str]]:
    """Collect the errors that tifffile logs and then ignores in a damaged file."""
    collector = _Collector()
    logger = logging.getLogger("tifffile")
    logger.addHandler(collector)
    try:
        yield collector.messages
    finally:
        logger.removeHandler(collector)


class _Collector(logging.Handler):
    """Log handler that keeps the errors of its own thread, except those about private tags.

    After very many errors it raises one, because tifffile would go on for minutes.
    """

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.messages: list[str] = []
        self._thread = threading.get_ident()

    def emit(self, record: logging.LogRecord) -> None:
        message = record.getMessage()
        tag = re.search(r"TiffTag (\d+)", message)
        if record.thread == self._thread and (tag is None or int(tag[1]) < _FIRST_PRIVATE_TAG):
            self.messages.append(re.sub(r"<[^>]*>\s*", "", message))
            if len(self.messages) > _MOST_COMPLAINTS:
                raise ValueError(self.messages[0])
