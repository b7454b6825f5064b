"""Page that reports on a batch: a card for each file, with pictures and figures, and a table."""

from __future__ import annotations

import html
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from ..errors import printable
from ..version import __version__
from .plan import Plan
from .settings import Settings
from .thumbnails import thumbnails

if TYPE_CHECKING:
    from .process import Outcome

#: Share of the pixels that must tell before a file can be called the sharpest.
_LEAST_SURE = 0.02
#: Files of a series that are worth a plot.
_LEAST_SERIES = 3
_PLOT_WIDTH, _PLOT_HEIGHT, _MARGIN = 900, 220, 40
#: Style of the pages, in light and dark.
STYLE = """
:root { color-scheme: light dark; --ink: #222; --soft: #666; --line: #ddd; --ground: #fff;
  --card: #f6f6f6; --bad: #b00020; --plot: #21639a }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e6e6; --soft: #a5a5a5; --line: #3a3a3a;
  --ground: #17191c; --card: #22252a; --bad: #ff7b72; --plot: #79b8f0 } }
body { font: 15px/1.45 system-ui, sans-serif; margin: 2em auto; max-width: 1080px; padding: 0 1em;
  color: var(--ink); background: var(--ground) }
a { color: inherit } dl { display: grid; grid-template-columns: max-content 1fr; gap: 0 1em }
dt, .soft { color: var(--soft) } dd { margin: 0; overflow-wrap: anywhere }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 8px;
  padding: .8em 1em; margin: 1em 0 }
.card h2 { font-size: 1em; margin: 0 0 .5em; overflow-wrap: anywhere }
.failed { border-color: var(--bad) } .failed .state, tr.failed { color: var(--bad) }
figure { display: inline-block; margin: 0 1em .3em 0; vertical-align: top }
img { max-width: 240px; max-height: 240px; display: block } figcaption { color: var(--soft) }
.scroll { overflow-x: auto } table { border-collapse: collapse }
td, th { text-align: left; padding: 4px 10px; border-bottom: 1px solid var(--line);
  vertical-align: top }
svg { max-width: 100% } svg text { fill: var(--ink) }
"""
#: Sorts the cards by an attribute; failed files, whose figures are missing, come first.
_SCRIPT = """
const sort = document.getElementById("sort"), cards = document.getElementById("cards");
sort.addEventListener("change", () => {
  const key = sort.value, number = key !== "name";
  [...cards.children].sort((a, b) => {
    const x = a.dataset[key], y = b.dataset[key];
    return number ? Number(x) - Number(y) : x.localeCompare(y, undefined, {numeric: true});
  }).forEach(card => cards.appendChild(card));
});
"""
_ORDERS = {"order": "failed first", "name": "name", "radius": "sharpest first", "seconds": "time"}


def report_page(
    plan: Plan,
    columns: Sequence[str],
    rows: Sequence[tuple[str, ...]],
    outcomes: Mapping[int, Outcome],
) -> str:
    """Return the page.

    Parameters
    ----------
    plan : Plan
        The batch.
    columns : sequence of str
        Names of the figures.
    rows : sequence of tuple of str
        Figures of its files.
    outcomes : mapping of int to Outcome
        Outcomes of its files, by number.
    """
    states = [row[1] for row in rows]
    totals = ", ".join(f"{states.count(state)} {state}" for state in dict.fromkeys(states))
    options = "".join(f'<option value="{key}">{text}</option>' for key, text in _ORDERS.items())
    order = sorted(range(len(rows)), key=lambda index: (states[index] != "failed", index))
    cards = "\n".join(
        _card(plan, index, place, rows[index], outcomes) for place, index in enumerate(order)
    )
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>napari-defocus: {_text(plan.folder.name)}</title><style>{STYLE}</style>\n"
        f"<h1>{len(rows)} files: {totals}</h1>\n{_header(plan.settings)}\n"
        f"{_sharpest(plan, outcomes)}\n{_plot(plan, outcomes)}\n"
        f'<p><label>Order <select id="sort">{options}</select></label></p>\n'
        f'<div id="cards">\n{cards}\n</div>\n<details><summary>All figures</summary>'
        f'<div class="scroll">{_table(columns, rows)}</div></details>\n'
        f"<script>{_SCRIPT}</script></html>\n"
    )


def is_series(names: Sequence[str]) -> bool:
    """Return whether names of files differ in their numbers alone, as those of a series do.

    Examples
    --------
    >>> is_series(["scan_001.tif", "scan_002.tif", "scan_010.tif"])
    True
    >>> is_series(["cat.jpg", "dog.jpg", "cow.jpg"]), is_series(["a1.tif", "a2.tif"])
    (False, False)
    """
    kinds = {re.sub(r"\d+", "#", name) for name in names}
    return len(names) >= _LEAST_SERIES and len(kinds) == 1 and "#" in kinds.pop()


def _header(settings: Settings) -> str:
    """Return when, by which version and with which settings results were made."""
    deblurring, options = settings.deblurring.changed(), settings.options.to_text()
    changes = {**deblurring, **options}
    if settings.unit != Settings.unit:
        changes["unit"] = settings.unit
    if settings.dual_pixel:
        changes["dual_pixel"] = True
    if settings.stack_axis is not None:
        changes["stack_axis"] = settings.stack_axis
    chosen = ", ".join(f"{name} = {value}" for name, value in changes.items()) or "as preset"
    now = datetime.now().astimezone()
    entries = {
        "made": f"{now:%Y-%m-%d %H:%M} by napari-defocus {__version__}",
        "task": settings.task,
        "settings": chosen,
        "radius": "median over the pixels that tell how far they are out of focus, in pixels of "
        "the image; gray in a map: these do not tell",
    }
    return (
        f"<dl>{''.join(f'<dt>{name}</dt><dd>{_text(v)}</dd>' for name, v in entries.items())}</dl>"
    )


def _card(
    plan: Plan, index: int, place: int, row: tuple[str, ...], outcomes: Mapping[int, Outcome]
) -> str:
    item, outcome, state = plan.items[index], outcomes.get(index), row[1]
    is_whole = state in ("done", "verified")
    pictures = "".join(
        f'<figure><a href="{_link(each.path, plan.folder)}" title="open the file">'
        f'<img alt="{each.title}" src="{each.address}"></a>'
        f"<figcaption>{each.title}</figcaption></figure>"
        for each in (thumbnails(item) if is_whole else ())
    )
    radius = _radius(outcome)
    seconds = 0.0 if outcome is None else outcome.seconds
    data = (
        f'data-order="{place}" data-name="{_text(item.name)}" data-seconds="{seconds:.3f}" '
        f'data-radius="{-1 if state == "failed" else 1e9 if radius is None else radius}"'
    )
    message = "" if outcome is None else outcome.message
    files = [item.source, *(item.results.values() if is_whole else ())]
    links = " · ".join(
        f'<a href="{_link(path, plan.folder)}">{_text(path.name)}</a>' for path in files
    )
    return (
        f'<section class="card {_text(state)}" {data}><h2>{_text(item.name)} '
        f'<span class="state">{_text(state)}</span></h2>{pictures}'
        f"<p>{_figures(outcome)}</p>"
        + (f"<p>{_text(message)}</p>" if message else "")
        + f'<p class="soft">{links}</p></section>'
    )


def _figures(outcome: Outcome | None) -> str:
    """Return radius, share in focus and time of a file in words."""
    if outcome is None:
        return "not reached"
    parts, measures = [], outcome.measures
    if measures is not None and measures.sure == 0:
        parts.append("nothing to judge the focus by")
    elif measures is not None:
        size = measures.pixel_size
        length = "" if size is None else f" ({measures.median_radius * size:.3g} µm)"
        of = "" if measures.sure is None else f" of the {measures.sure:.0%} that tell"
        parts.append(f"median blur radius {measures.median_radius:.2f} px{length}")
        parts.append(f"{measures.in_focus:.0%} in focus{of}")
    if outcome.state == "done":
        parts.append(f"{outcome.seconds:.1f} s")
    return " · ".join(parts)


def _radius(outcome: Outcome | None) -> float | None:
    """Return the median radius of a file in pixels, if enough pixels tell it."""
    measures = None if outcome is None else outcome.measures
    if measures is None or (measures.sure is not None and measures.sure < _LEAST_SURE):
        return None
    return measures.median_radius


def _measured(plan: Plan, outcomes: Mapping[int, Outcome]) -> list[tuple[int, float]]:
    radii = ((index, _radius(outcomes.get(index))) for index in range(len(plan.items)))
    return [(index, radius) for index, radius in radii if radius is not None]


def _sharpest(plan: Plan, outcomes: Mapping[int, Outcome]) -> str:
    measured = _measured(plan, outcomes)
    if len(measured) < 2:
        return ""
    index, radius = min(measured, key=lambda point: point[1])
    return f"<p>sharpest: {_text(plan.items[index].name)}, {radius:.2f} px</p>"


def _plot(plan: Plan, outcomes: Mapping[int, Outcome]) -> str:
    """Return a plot of the median radius over the files of a series, as SVG."""
    measured = _measured(plan, outcomes)
    names = [item.name for item in plan.items]
    if len(measured) < _LEAST_SERIES or not is_series(names):
        return ""
    top = max(radius for _, radius in measured) or 1.0
    across = (_PLOT_WIDTH - 2 * _MARGIN) / max(len(names) - 1, 1)
    down = (_PLOT_HEIGHT - 2 * _MARGIN) / top
    points = [(_MARGIN + across * i, _PLOT_HEIGHT - _MARGIN - down * r) for i, r in measured]
    marks = "".join(
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4"><title>{_text(names[index])}: {radius:.2f} px'
        "</title></circle>"
        for (index, radius), (x, y) in zip(measured, points, strict=True)
    )
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return (
        f'<svg viewBox="0 0 {_PLOT_WIDTH} {_PLOT_HEIGHT}" role="img" fill="var(--plot)">'
        f'<polyline points="{line}" fill="none" stroke="var(--plot)"/>{marks}'
        f"{''.join(_ticks(top, down))}"
        f'<text x="{_MARGIN}" y="20">median blur radius (px)</text>'
        f'<text x="{_MARGIN}" y="{_PLOT_HEIGHT - 12}">{_text(names[0])}</text>'
        f'<text x="{_PLOT_WIDTH - _MARGIN}" y="{_PLOT_HEIGHT - 12}" text-anchor="end">'
        f"{_text(names[-1])}</text></svg>"
    )


def _ticks(top: float, down: float) -> Iterator[str]:
    for share in (0.0, 0.5, 1.0):
        y = _PLOT_HEIGHT - _MARGIN - down * top * share
        yield f'<text x="{_MARGIN - 8}" y="{y + 5:.1f}" text-anchor="end">{top * share:.3g}</text>'


def _table(columns: Sequence[str], rows: Sequence[tuple[str, ...]]) -> str:
    head = "".join(f"<th>{html.escape(column)}</th>" for column in columns)
    lines = (
        f'<tr class="{_text(row[1])}">'
        + "".join(f"<td>{html.escape(cell)}</td>" for cell in row)
        + "</tr>"
        for row in rows
    )
    body = "\n".join(lines)
    return f"<table><tr>{head}</tr>\n{body}\n</table>"


def _link(path: Path, folder: Path) -> str:
    """Return the address of a file relative to the page, so that both can be moved together."""
    try:
        relative = os.path.relpath(path, folder)
    except ValueError:  # on another drive
        return html.escape(path.as_uri())
    return html.escape(quote(os.fsencode(relative.replace(os.sep, "/"))))


def _text(value: object) -> str:
    return html.escape(printable(str(value)))
