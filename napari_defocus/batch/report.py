"""Report of a batch: a CSV table, and a page with thumbnails and a plot of radii over files."""

from __future__ import annotations

import base64
import csv
import hashlib
import html
import io
import math
import os
import re
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..errors import DefocusError, printable
from ..io import open_picture
from ..io.atomic import atomic_file, check_target
from ..physical_size import BlurSize
from .focus_report import COLUMNS as FOCUS_COLUMNS
from .focus_report import focus_page, focus_rows
from .plan import Item, Plan
from .records import Measures

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
    "message",
)
#: Longest sides in pixels: of a thumbnail, and of what is read of a result to make one.
_THUMBNAIL, _READ_SIZE = 160, 2048
_PLOT_WIDTH, _PLOT_HEIGHT, _MARGIN = 900, 220, 40
_STYLE = """
body { font: 15px/1.4 system-ui, sans-serif; margin: 2em auto; max-width: 1000px; color: #222 }
table { border-collapse: collapse; width: 100% }
td, th { text-align: left; padding: 4px 10px; border-bottom: 1px solid #ddd; vertical-align: top }
.failed { color: #b00020 }
img { max-width: 160px; max-height: 160px }
"""


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
    writer.writerow(FOCUS_COLUMNS if is_focus else _COLUMNS)
    writer.writerows(rows)
    table = text.getvalue().encode(errors="backslashreplace")
    content = focus_page(plan, rows) if is_focus else _page(plan, rows, outcomes)
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
            yield name, "not reached", *("" for _ in _COLUMNS[2:])
            continue
        outcome = outcomes[index]
        numbers = _numbers(outcome.measures)
        message = printable(outcome.message)
        yield name, outcome.state, f"{outcome.seconds:.2f}", *numbers, message


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


def _page(plan: Plan, rows: Sequence[tuple[str, ...]], outcomes: Mapping[int, Outcome]) -> str:
    states = [row[1] for row in rows]
    totals = ", ".join(f"{states.count(state)} {state}" for state in dict.fromkeys(states))
    head = "".join(f"<th>{html.escape(column)}</th>" for column in ("", *_COLUMNS))
    body = "\n".join(_line(item, row) for item, row in zip(plan.items, rows, strict=True))
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        f"<title>napari-defocus: {html.escape(printable(plan.folder.name))}</title>"
        f"<style>{_STYLE}</style>\n"
        f"<h1>{len(rows)} files: {totals}</h1>\n{_plot(plan, outcomes)}\n"
        f"<table><tr>{head}</tr>\n{body}\n</table></html>\n"
    )


def _line(item: Item, row: tuple[str, ...]) -> str:
    picture = _thumbnail(item) if row[1] in ("done", "verified") else ""
    cells = "".join(f"<td>{html.escape(cell)}</td>" for cell in row)
    return f'<tr class="{html.escape(row[1])}"><td>{picture}</td>{cells}</tr>'


def _thumbnail(item: Item) -> str:
    """Return the main result as a small picture within the page; empty if it cannot be shown."""
    from PIL import Image

    path = item.results.get("sharp") or item.results["radius"]
    try:
        picture = open_picture(path)
        plane = picture.data
        while plane.ndim > (3 if picture.channel_axis == -1 else 2):
            plane = plane[0]
        step = -(-max(plane.shape[:2]) // _READ_SIZE)
        plane = np.asarray(plane[::step, ::step])
    except (DefocusError, MemoryError):
        return ""
    small = Image.fromarray(_to_picture(plane))
    small.thumbnail((_THUMBNAIL, _THUMBNAIL))
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=80)
    return (
        f'<img alt="" src="data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}">'
    )


def _to_picture(plane: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """Return a plane, gray or RGB(A), stretched from its darkest to its brightest finite value.

    Values that are not finite become 0.
    """
    finite = np.isfinite(plane)
    if not finite.any():
        return np.zeros(plane.shape[:2], np.uint8)
    halves = np.where(finite, plane, np.nan).astype(float) / 2  # so that high - low is finite
    low, high = np.nanmin(halves), np.nanmax(halves)
    unit = np.nan_to_num((halves - low) / ((high - low) or 1))
    levels: npt.NDArray[np.uint8] = np.rint(unit * 255).astype(np.uint8)
    if levels.ndim == 3:
        return levels[..., :3] if levels.shape[-1] >= 3 else levels[..., 0]
    return levels


def _plot(plan: Plan, outcomes: Mapping[int, Outcome]) -> str:
    """Return a plot of the median radius over files, as SVG."""
    measured = [
        (index, outcome.measures.median_radius)
        for index, outcome in sorted(outcomes.items())
        if outcome.measures is not None and outcome.measures.sure != 0
    ]
    if not measured:
        return ""
    top = max(radius for _, radius in measured) or 1.0
    across = (_PLOT_WIDTH - 2 * _MARGIN) / max(len(plan.items) - 1, 1)
    down = (_PLOT_HEIGHT - 2 * _MARGIN) / top
    points = [(_MARGIN + across * i, _PLOT_HEIGHT - _MARGIN - down * r) for i, r in measured]
    marks = "".join(
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3"><title>{html.escape(_file_name(plan, index))}: '
        f"{radius:.2f} px</title></circle>"
        for (index, radius), (x, y) in zip(measured, points, strict=True)
    )
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    sharpest, least = min(measured, key=lambda point: point[1])
    return (
        f'<svg viewBox="0 0 {_PLOT_WIDTH} {_PLOT_HEIGHT}" role="img" fill="#21639a">'
        f'<polyline points="{line}" fill="none" stroke="#21639a"/>{marks}'
        f'<text x="{_MARGIN}" y="20" fill="#222">median blur radius (px), at most {top:.2f}; '
        f"sharpest: {html.escape(_file_name(plan, sharpest))}, {least:.2f}</text></svg>"
    )


def _file_name(plan: Plan, index: int) -> str:
    return printable(plan.items[index].name)


def _write(path: Path, content: bytes) -> None:
    with atomic_file(path, overwrite=os.path.lexists(path), follow_links=False) as file:
        file.write(content)
