"""Tables of the evaluation of stacks, with bootstrap intervals."""

from collections.abc import Sequence

import numpy as np

from training.evaluation.check.report import bootstrap_interval
from training.evaluation.stacks.scores import OWN
from training.evaluation.tables import Row


def best_plane_table(rows: Sequence[Row]) -> list[Row]:
    """Return the share of stacks whose best plane is within one of the truth, by light."""
    lights = list(dict.fromkeys(row["light"] for row in rows))
    table = []
    for method, own in _by_method(rows).items():
        line: Row = {"measure": method, "within one plane": _cell([r["within"] for r in own], 2)}
        for light in lights:
            line[light] = _cell([row["within"] for row in own if row["light"] == light], 2)
        errors = [row["error"] for row in own]
        table.append({**line, "median error (planes)": f"{np.nanmedian(errors):.2f}"})
    return table


def empty_table(rows: Sequence[Row]) -> list[Row]:
    """Return how often empty stacks are said to show nothing, and their noise when merged."""
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(row["noise"], []).append(row)
    return [
        {
            "noise": noise,
            "stacks": len(own),
            "nothing to judge by": f"{np.mean([row['nothing'] for row in own]):.2f}",
            "deviation of the merged picture": f"{np.mean([row['deviation'] for row in own]):.2f}",
            "largest": f"{max(row['deviation'] for row in own):.2f}",
        }
        for noise, own in groups.items()
    ]


def merged_table(rows: Sequence[Row]) -> list[Row]:
    """Return the mean scores of each method, and how much better ours is stack by stack."""
    methods = _by_method(rows)
    ours = {row["scene"]: row for row in methods[OWN]}
    lpips = [name for name in rows[0] if name.startswith("lpips")]
    table = []
    for method, own in methods.items():
        gains = [ours[row["scene"]]["psnr"] - row["psnr"] for row in own]
        line: Row = {"method": method, "stacks": len(own), "PSNR (dB)": _column(own, "psnr", 2)}
        line["ours is better by (dB)"] = "" if method == OWN else _cell(gains, 2)
        line["on the same, ours"] = _cell([ours[row["scene"]]["psnr"] for row in own], 2)
        for name in lpips:
            line[name] = _column(own, name, 3)
        line["error beside edges"] = _column(own, "halo", 4)
        halos = [ours[row["scene"]]["halo"] - row["halo"] for row in own]
        line["ours less theirs"] = _cell([halo for halo in halos if np.isfinite(halo)], 4)
        table.append(line)
    return table


def depth_table(rows: Sequence[Row]) -> list[Row]:
    """Return the mean error of the depth in planes, by light."""
    own = [row for row in rows if row["method"] == OWN]
    return [
        {
            "light": light,
            "depth error (planes)": _column(group, "depth error", 2),
            "where there is texture": _column(group, "depth error, texture", 2),
        }
        for light in dict.fromkeys(row["light"] for row in own)
        for group in [[row for row in own if row["light"] == light]]
    ]


def _by_method(rows: Sequence[Row]) -> dict[str, list[Row]]:
    methods: dict[str, list[Row]] = {}
    for row in rows:
        methods.setdefault(row["method"], []).append(row)
    return methods


def _column(rows: Sequence[Row], name: str, digits: int) -> str:
    return _cell([row[name] for row in rows if np.isfinite(row[name])], digits)


def _cell(values: Sequence[float], digits: int) -> str:
    interval = bootstrap_interval(values)
    if np.isnan(interval.mean):
        return ""
    ends = f" ({interval.low:.{digits}f} to {interval.high:.{digits}f})"
    return f"{interval.mean:.{digits}f}" + ("" if np.isnan(interval.low) else ends)
