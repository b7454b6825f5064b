"""Report of a batch that profiles stacks: a row a stack, and plates as heat maps."""

from __future__ import annotations

import csv
import html
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from cmap import Colormap

from ..errors import printable
from ..io.zarr_layout import store_part
from .focus import FIGURES
from .item import Item
from .plan import Plan
from .report_page import STYLE

if TYPE_CHECKING:
    from .process import Outcome

COLUMNS = ("file", "stack", "state", *FIGURES, "message")
#: Name of a well in the name of a file, such as B02.
_WELL = re.compile(r"(?<![A-Za-z0-9])([A-P])(\d{1,2})(?![0-9])")
_STYLE = """
table { margin-bottom: 1.5em }
.plate td { text-align: center; border: 1px solid var(--ground); min-width: 3em }
"""


def focus_rows(plan: Plan, outcomes: Mapping[int, Outcome]) -> list[tuple[str, ...]]:
    """Return the rows of the table: one a stack, or one a file that has none."""
    rows: list[tuple[str, ...]] = []
    empty = ("",) * len(FIGURES)
    for index, item in enumerate(plan.items):
        name = printable(item.source)
        outcome = outcomes.get(index)
        state = "not reached" if outcome is None else outcome.state
        message = "" if outcome is None else printable(outcome.message)
        stacks = list(_stacks(item)) if state in ("done", "verified") else []
        rows += [(name, stack, state, *figures, message) for stack, figures in stacks]
        if not stacks:
            rows.append((name, "", state, *empty, message))
    return rows


def focus_page(plan: Plan, rows: Sequence[tuple[str, ...]]) -> str:
    """Return the page: heat maps of plates, and the table."""
    states = [row[2] for row in rows]
    totals = ", ".join(f"{states.count(state)} {state}" for state in dict.fromkeys(states))
    head = "".join(f"<th>{html.escape(column)}</th>" for column in COLUMNS)
    body = "\n".join(
        f'<tr class="{html.escape(row[2])}">'
        + "".join(f"<td>{html.escape(cell)}</td>" for cell in row)
        + "</tr>"
        for row in rows
    )
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        f"<title>napari-defocus: {html.escape(printable(plan.folder.name))}</title>"
        f"<style>{STYLE}{_STYLE}</style>\n"
        f"<h1>{len(rows)} stacks: {totals}</h1>\n{_plates(rows)}\n"
        f"<table><tr>{head}</tr>\n{body}\n</table></html>\n"
    )


def find_well(path: Path) -> tuple[str, int] | None:
    """Return row and column of the well that a file shows, as its place or name says.

    Examples
    --------
    >>> find_well(Path("plate.zarr/C/5/0")), find_well(Path("screen_B02_s1.tif"))
    (('C', 5), ('B', 2))
    >>> find_well(Path("cells.tif")) is None
    True
    """
    part = store_part(path)
    if part is not None and len(part[1].parts) >= 3:
        row, column = part[1].parts[:2]
        return (row, int(column)) if column.isdecimal() else None
    match = _WELL.search(path.stem)
    return None if match is None else (match[1], int(match[2]))


def _stacks(item: Item) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield the place of each stack of a file, and its figures."""
    try:
        text = item.results["focus"].read_text(encoding="utf-8")
    except OSError:
        return
    header, *lines = csv.reader(text.splitlines())
    axes = len(header) - len(FIGURES)
    for line in lines:
        place = " ".join(f"{axis}={i}" for axis, i in zip(header[:axes], line, strict=False))
        yield place, tuple(line[axes:])


def _plates(rows: Sequence[tuple[str, ...]]) -> str:
    """Return a heat map of the best planes of wells for each channel or other stack."""
    column = COLUMNS.index("best plane")
    plates: dict[str, dict[tuple[str, int], list[float]]] = {}
    for row in rows:
        well = find_well(Path(row[0]))
        if well is not None:
            values = plates.setdefault(row[1], {}).setdefault(well, [])
            values += [float(row[column])] if row[column] else []
    return "\n".join(
        _plate(f"Best plane by well{f', {stack}' if stack else ''}", wells)
        for stack, wells in plates.items()
    )


def _plate(title: str, wells: Mapping[tuple[str, int], Sequence[float]]) -> str:
    """Return a table of wells, colored by the mean over their fields."""
    means = {well: float(np.mean(values)) for well, values in wells.items() if values}
    low, high = min(means.values(), default=0.0), max(means.values(), default=1.0)
    colors = Colormap("viridis")
    names = sorted({row for row, _ in wells})
    columns = range(min(c for _, c in wells), max(c for _, c in wells) + 1)
    lines = ["<tr><th></th>" + "".join(f"<th>{column}</th>" for column in columns) + "</tr>"]
    for name in names:
        cells = []
        for column in columns:
            mean = means.get((name, column))
            if mean is None:
                text = "none" if (name, column) in wells else ""
                cells.append(f'<td class="soft">{text}</td>')
                continue
            share = (mean - low) / (high - low) if high > low else 0.5
            ink = "#000" if share > 0.6 else "#fff"
            style = f"background: {colors(share).hex}; color: {ink}"
            cells.append(f'<td style="{style}">{mean:.1f}</td>')
        lines.append(f"<tr><th>{html.escape(name)}</th>{''.join(cells)}</tr>")
    body = "\n".join(lines)
    return f'<h2>{html.escape(title)}</h2>\n<table class="plate">{body}</table>'
