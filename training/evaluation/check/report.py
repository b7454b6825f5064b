"""Tables of the check's evaluation, with bootstrap intervals."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import bootstrap

from training.evaluation.check.honest import FAITHFUL
from training.evaluation.check.trials import RATES
from training.evaluation.intervals import Interval
from training.evaluation.tables import Row

_EDGES = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0, np.inf)
_VISIBLE = 2.0


def bootstrap_interval(values: ArrayLike) -> Interval:
    """Return the mean of independent values with its 95 % bootstrap interval.

    Examples
    --------
    >>> bootstrap_interval([1.0, 1.0, 1.0])
    Interval(mean=1.0, low=1.0, high=1.0)
    """
    numbers = np.asarray(values, float)
    if numbers.size < 2:
        return Interval(float(numbers.mean()) if numbers.size else np.nan, np.nan, np.nan)
    if np.ptp(numbers) == 0:
        return Interval(*[float(numbers[0])] * 3)
    result = bootstrap((numbers,), np.mean, method="percentile", rng=np.random.default_rng(0))
    low, high = result.confidence_interval
    return Interval(float(numbers.mean()), float(low), float(high))


def detection_table(rows: Sequence[Row]) -> list[Row]:
    """Return the share of frauds flagged, by their visibility, beside the physical limit."""
    unaided = _unaided(rows)
    groups = {
        f"{low:g} to {high:g}": [row for row in unaided if low <= row["ratio"] < high]
        for low, high in pairwise(_EDGES)
    }
    visible = [row for row in rows if row["ratio"] >= _VISIBLE]
    groups[f"{_VISIBLE:g} and more"] = _unaided(visible)
    for source, kernels in sorted({(row["source"], row["kernels"]) for row in rows}):
        own = [row for row in visible if (row["source"], row["kernels"]) == (source, kernels)]
        groups[", ".join(filter(None, [f"{_VISIBLE:g} and more", source, kernels]))] = own
    return [{"change / noise": name, **_detection(own)} for name, own in groups.items()]


def _unaided(rows: Sequence[Row]) -> list[Row]:
    """Return the trials in which kernels are taken to be disks."""
    return [row for row in rows if not row["kernels"]]


def _detection(rows: Sequence[Row]) -> Row:
    by_true, by_estimated = (
        [row for row in rows if row["map"] == name] for name in ("true", "estimated")
    )
    return {
        "trials": len(by_true),
        "flagged, true map": _cell([row["flagged"] for row in by_true]),
        "flagged, estimated map": _cell([row["flagged"] for row in by_estimated]),
        "clear, estimated map": _cell([row["clear"] for row in by_estimated]),
        "matched filter": _cell([row["limit"] for row in by_true]),
    }


def plot_detection(rows: Sequence[Row], path: Path) -> None:
    """Plot the share of frauds flagged over their visibility, beside the physical limit."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.subplots()
    edges = np.geomspace(0.125, 32, 9)
    curves = {
        "matched filter, everything known": ("true", "limit"),
        "true map": ("true", "flagged"),
        "estimated map": ("estimated", "flagged"),
    }
    for label, (name, column) in curves.items():
        own = [row for row in _unaided(rows) if row["map"] == name]
        bins = [
            (np.sqrt(low * high), [row[column] for row in own if low <= row["ratio"] < high])
            for low, high in pairwise(edges)
        ]
        points = [(place, np.mean(shares)) for place, shares in bins if shares]
        axes.semilogx(*zip(*points, strict=True), "o-", label=label)
    axes.set(xlabel="change, blurred, over noise, per pixel", ylabel="share of frauds flagged")
    axes.legend()
    figure.savefig(path, dpi=120)


def calibration_table(trials: Sequence[Row], real: Sequence[Row]) -> list[Row]:
    """Return the share of honest pixels flagged at each rate of false alarms."""
    groups = {"faithful, real scenes": ([r for r in real if r["method"] == FAITHFUL], "flagged")}
    for name in ("true", "estimated"):
        own = [row for row in _unaided(trials) if row["map"] == name]
        groups[f"true picture, {name} map"] = own, "truth"
        groups[f"beside frauds, {name} map"] = own, "beside"
    return [
        {"pictures": name, **{f"{rate:.0%}": _cell(_column(own, column, rate)) for rate in RATES}}
        for name, (own, column) in groups.items()
    ]


def rank_table(real: Sequence[Row]) -> list[Row]:
    """Return in how many scenes each picture agrees less with its image than the faithful one."""
    best = {row["scene"]: row["consistency"] for row in real if row["method"] == FAITHFUL}
    table = []
    for method in dict.fromkeys(row["method"] for row in real):
        own = [row for row in real if row["method"] == method]
        behind = sum(row["consistency"] < best[row["scene"]] for row in own)
        table.append(
            {
                "picture": method,
                "consistency (dB)": _cell([row["consistency"] for row in own], digits=1),
                "flagged at 5 %": _cell(_column(own, "flagged", 0.05)),
                "inferred": _cell([row["inferred"] for row in own]),
                "behind faithful": "" if method == FAITHFUL else f"{behind} of {len(own)}",
            }
        )
    return table


def _column(rows: Sequence[Row], name: str, rate: float) -> list[float]:
    return [row[f"{name} {rate:g}"] for row in rows]


def _cell(values: Sequence[float], digits: int = 3) -> str:
    interval = bootstrap_interval(values)
    if np.isnan(interval.mean):
        return ""
    ends = f" ({interval.low:.{digits}f} to {interval.high:.{digits}f})"
    return f"{interval.mean:.{digits}f}" + ("" if np.isnan(interval.low) else ends)
