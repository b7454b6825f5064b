"""Report of a batch: a CSV table, and a page with thumbnails and a plot of radii over files."""

from __future__ import annotations

import base64
import csv
import html
import io
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..errors import DefocusError
from ..io import open_picture
from ..io.atomic import atomic_file
from .plan import Item, Plan

if TYPE_CHECKING:
    from .process import Outcome

CSV_NAME, PAGE_NAME = "report.csv", "report.html"
_COLUMNS = ("file", "state", "seconds", "median radius (px)", "share in focus", "message")
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


def write_report(plan: Plan, outcomes: Mapping[int, Outcome]) -> None:
    """Write the table and the page into the plan's folder.

    Parameters
    ----------
    plan : Plan
        The batch.
    outcomes : mapping of int to Outcome
        Outcomes of its files, by number; files without one were not reached.
    """
    table = io.StringIO(newline="")
    writer = csv.writer(table)
    writer.writerow(_COLUMNS)
    rows = list(_rows(plan, outcomes))
    writer.writerows(rows)
    _write(plan.folder / CSV_NAME, table.getvalue())
    _write(plan.folder / PAGE_NAME, _page(plan, rows, outcomes))


def _rows(plan: Plan, outcomes: Mapping[int, Outcome]) -> Iterator[tuple[str, ...]]:
    for index, item in enumerate(plan.items):
        name = os.fspath(item.source)
        if index not in outcomes:
            yield name, "not reached", "", "", "", ""
            continue
        outcome = outcomes[index]
        measures = outcome.measures
        median = "" if measures is None else f"{measures.median_radius:.3f}"
        share = "" if measures is None else f"{measures.in_focus:.3f}"
        yield name, outcome.state, f"{outcome.seconds:.2f}", median, share, outcome.message


def _page(plan: Plan, rows: Sequence[tuple[str, ...]], outcomes: Mapping[int, Outcome]) -> str:
    states = [row[1] for row in rows]
    totals = ", ".join(f"{states.count(state)} {state}" for state in dict.fromkeys(states))
    head = "".join(f"<th>{html.escape(column)}</th>" for column in ("", *_COLUMNS))
    body = "\n".join(_line(item, row) for item, row in zip(plan.items, rows, strict=True))
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        f"<title>napari-defocus: {html.escape(plan.folder.name)}</title><style>{_STYLE}</style>\n"
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
        if outcome.measures is not None
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
    return plan.items[index].source.name


def _write(path: Path, text: str) -> None:
    with atomic_file(path, overwrite=True) as file:
        file.write(text.encode(errors="backslashreplace"))
