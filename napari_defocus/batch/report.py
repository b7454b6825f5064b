"""Files of the report of a batch: a CSV table and a page, which replace none of the user."""

from __future__ import annotations

import csv
import hashlib
import io
import math
import os
import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import printable
from ..io.atomic import atomic_file, check_target
from ..physical_size import BlurSize
from .focus_report import COLUMNS as FOCUS_COLUMNS
from .focus_report import focus_page, focus_rows
from .plan import Plan
from .records import Measures
from .report_page import report_page

if TYPE_CHECKING:
    from .process import Outcome

#: Last line of a page: by these hashes a later run knows its table, the table before, and itself.
_SEAL = re.compile(
    rb"<!-- table ([0-9a-f]{64}) before ([0-9a-f]{64}|none) page ([0-9a-f]{64}) -->\n"
)
#: Largest report that is read, in bytes.
_MOST = 2**30
_COLUMNS = (
    "file",
    "state",
    "seconds",
    "median radius (px)",
    "median radius (um)",
    "spot FWHM (um)",
    "cut-off (cycles/um)",
    "share in focus",
    "share that tells",
)
_CHECK_COLUMNS = ("share flagged", "share inferred", "consistency (dB)", "verdict")


@dataclass(frozen=True)
class ReportFiles:
    """The two files of a report: a table and a page.

    Parameters
    ----------
    folder : pathlib.Path
        Folder of the batch.
    number : int
        Part of their names, unless it is 1.
    """

    folder: Path
    number: int

    @property
    def table(self) -> Path:
        """The table, ``report.csv``."""
        return self._path("csv")

    @property
    def page(self) -> Path:
        """The page, ``report.html``."""
        return self._path("html")

    def may_be_written(self) -> bool:
        """Return whether each is missing, or written by a batch and not changed since."""
        tables = _read_seal(self.page)
        if tables is None and os.path.lexists(self.page):
            return False
        return not os.path.lexists(self.table) or _hash(_read(self.table)) in (tables or ())

    def _path(self, suffix: str) -> Path:
        mark = "" if self.number == 1 else f"-{self.number}"
        return self.folder / f"report{mark}.{suffix}"


def write_report(plan: Plan, outcomes: Mapping[int, Outcome]) -> None:
    """Write the table and the page into the plan's folder.

    Where files have their names that no batch wrote, or that were changed since, they get numbers.

    Parameters
    ----------
    plan : Plan
        The batch.
    outcomes : mapping of int to Outcome
        Outcomes of its files, by number; files without one were not reached.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    is_focus = plan.settings.task == "focus"
    rows = focus_rows(plan, outcomes) if is_focus else list(_rows(plan, outcomes))
    writer.writerow(FOCUS_COLUMNS if is_focus else _columns(plan))
    writer.writerows(rows)
    table = text.getvalue().encode(errors="backslashreplace")
    content = (
        focus_page(plan, rows) if is_focus else report_page(plan, _columns(plan), rows, outcomes)
    )
    page = content.encode(errors="backslashreplace")
    files = _find_files(plan.folder)
    for path in (files.table, files.page):
        check_target(path, overwrite=True)
    _write(files.page, page + _seal(page, _hash(table), _hash(_read(files.table))))
    _write(files.table, table)


def find_page(folder: Path) -> Path:
    """Return the path of the page that the last run in a folder wrote."""
    return _find_files(folder).page


def _find_files(folder: Path) -> ReportFiles:
    number = 1
    while not ReportFiles(folder, number).may_be_written():
        number += 1
    return ReportFiles(folder, number)


def _read_seal(page: Path) -> tuple[bytes, ...] | None:
    """Return the hashes of a page's table, now and before; None if no batch wrote it like this."""
    content = _read(page) or b""
    end = content.rfind(b"<!-- table ")
    match = _SEAL.fullmatch(content[max(end, 0) :])
    if match is None or _seal(content[:end], *match.groups()[:2]) != match[0]:
        return None
    return match.groups()[:2]


def _seal(page: bytes, table: bytes, before: bytes) -> bytes:
    """Return the line that ends a page."""
    start = b"<!-- table %s before %s page " % (table, before)
    return start + _hash(page + start) + b" -->\n"


def _hash(content: bytes | None) -> bytes:
    return b"none" if content is None else hashlib.sha256(content).hexdigest().encode()


def _read(path: Path) -> bytes | None:
    """Return the content of a file; None for a link, and for what is no file or too large."""
    try:
        is_file = stat.S_ISREG(path.lstat().st_mode)
        return path.read_bytes() if is_file and path.lstat().st_size < _MOST else None
    except OSError:
        return None


def _rows(plan: Plan, outcomes: Mapping[int, Outcome]) -> Iterator[tuple[str, ...]]:
    for index, item in enumerate(plan.items):
        name = printable(item.source)
        if index not in outcomes:
            yield name, "not reached", *("" for _ in _columns(plan)[2:])
            continue
        outcome = outcomes[index]
        numbers = _numbers(outcome.measures)
        if plan.settings.check:
            numbers += _check_cells(outcome.measures)
        message = printable(outcome.message)
        yield name, outcome.state, f"{outcome.seconds:.2f}", *numbers, message


def _columns(plan: Plan) -> tuple[str, ...]:
    return (*_COLUMNS, *(_CHECK_COLUMNS if plan.settings.check else ()), "message")


def _check_cells(measures: Measures | None) -> tuple[str, ...]:
    """Return the columns of the check, empty if there is none."""
    if measures is None or measures.verdict is None:
        return ("",) * len(_CHECK_COLUMNS)
    assert measures.flagged is not None
    return (
        f"{measures.flagged:.3f}",
        f"{measures.inferred:.3f}",
        f"{measures.consistency:.1f}",
        measures.verdict,
    )


def _numbers(measures: Measures | None) -> tuple[str, ...]:
    """Return the columns of measures: radius in pixels and micrometers, spot, cut-off, shares."""
    if measures is None:
        return ("",) * 6
    if measures.sure == 0:  # there is nothing to judge by
        return (*("",) * 5, "0.000")
    physical = ("", "", "")
    if measures.pixel_size is not None:
        blur = BlurSize(measures.median_radius * measures.pixel_size, "um")
        cutoff = "" if math.isinf(blur.cutoff) else f"{blur.cutoff:.4g}"
        physical = (f"{blur.radius:.4g}", f"{blur.fwhm:.4g}", cutoff)
    sure = "" if measures.sure is None else f"{measures.sure:.3f}"
    return (f"{measures.median_radius:.3f}", *physical, f"{measures.in_focus:.3f}", sure)


def _write(path: Path, content: bytes) -> None:
    with atomic_file(path, overwrite=os.path.lexists(path), follow_links=False) as file:
        file.write(content)
