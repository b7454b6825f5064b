"""Scores as tables: every scene in CSV, means with their intervals in Markdown."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from training.evaluation.intervals import Interval, mean_interval

Row = dict[str, Any]
_KEYS = ("method", "scene")
_LESS_IS_BETTER = {"mae", "lpips_alex", "lpips_squeeze"}
_DECIBELS = {"psnr", "reblur", "no_harm"}


def means(rows: Sequence[Row]) -> list[Row]:
    """Return the mean over scenes of each method, without NaN."""
    return [
        {"method": method, **{s: mean_interval([row[s] for row in own]).mean for s in _scores(own)}}
        for method, own in _by_method(rows).items()
    ]


def gains(rows: Sequence[Row], reference: str, scores: Sequence[str]) -> list[Row]:
    """Return the mean difference, scene by scene, of each method to one, with its interval.

    Beside each, in how many scenes the method is the worse of the two.

    Parameters
    ----------
    rows : sequence of Row
        One row of each method and scene.
    reference : str
        The method that others are compared with.
    scores : sequence of str
        Columns to compare.
    """
    methods = _by_method(rows)
    before = {row["scene"]: row for row in methods.pop(reference)}
    return [
        {"method": method, **_gains(own, before, reference, scores)}
        for method, own in methods.items()
    ]


def _gains(
    rows: Sequence[Row], before: Mapping[str, Row], reference: str, scores: Sequence[str]
) -> Row:
    gained: Row = {}
    for score in scores:
        apart = [row[score] - before[row["scene"]][score] for row in rows]
        lost = sum(gain > 0 if score in _LESS_IS_BETTER else gain < 0 for gain in apart)
        gained[f"{score} less {reference}'s"] = mean_interval(apart)
        gained[f"worse in {score}"] = f"{lost} of {len(rows)}"
    return gained


def write_csv(path: Path, rows: Iterable[Row]) -> None:
    """Write rows as CSV, with empty cells for missing and NaN scores."""
    rows = list(rows)
    columns = list(dict.fromkeys(key for row in rows for key in row))
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, restval="")
        writer.writeheader()
        writer.writerows({k: v for k, v in row.items() if not _is_missing(v)} for row in rows)


def markdown(rows: Sequence[Row]) -> str:
    """Format rows as a Markdown table."""
    header = list(dict.fromkeys(key for row in rows for key in row))
    lines = ["| " + " | ".join(header) + " |", "|" + " --- |" * len(header)]
    for row in rows:
        cells = [_cell(key, row.get(key, "")) for key in header]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _cell(column: str, value: object) -> str:
    digits = 2 if column.split()[0] in _DECIBELS else 3
    if isinstance(value, Interval):
        if _is_missing(value.mean):
            return ""
        ends = f"{value.low:+.{digits}f} to {value.high:+.{digits}f}"
        return f"{value.mean:+.{digits}f}" + ("" if np.isnan(value.low) else f" ({ends})")
    if isinstance(value, float):
        return "" if _is_missing(value) else f"{value:.{digits}f}"
    return str(value)


def _is_missing(value: object) -> bool:
    return isinstance(value, float) and np.isnan(value)


def _by_method(rows: Iterable[Row]) -> dict[str, list[Row]]:
    methods: dict[str, list[Row]] = {}
    for row in rows:
        methods.setdefault(row["method"], []).append(row)
    return methods


def _scores(rows: Sequence[Row]) -> list[str]:
    return [key for key in rows[0] if key not in _KEYS]
