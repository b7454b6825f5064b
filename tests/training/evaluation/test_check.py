"""Evaluation of the check: frauds that are planted, and tables of their detection."""

import numpy as np
import pytest

from training.evaluation.check.frauds import plant
from training.evaluation.check.report import (
    bootstrap_interval,
    calibration_table,
    detection_table,
    plot_detection,
    rank_table,
)


@pytest.mark.parametrize("seed", range(6))
def test_a_fraud_changes_its_patch_alone_and_without_a_seam(seed):
    picture, other = np.random.default_rng(1).random((2, 96, 96, 3)).astype(np.float32)
    fraud = plant(picture, np.full((96, 96), 3.0), other, np.random.default_rng(seed))
    changed = np.abs(fraud.picture - picture).max(axis=2)
    assert changed[fraud.area].max() > 0
    assert changed[~fraud.area].max() < 0.1
    rows, columns = (np.ptp(np.nonzero(fraud.area.any(axis))[0]) + 1 for axis in (1, 0))
    assert 12 <= min(rows, columns) <= max(rows, columns) <= 32


def test_nothing_is_planted_where_the_blur_does_not_suit():
    picture = np.zeros((96, 96, 1), np.float32)
    assert plant(picture, np.zeros((96, 96)), picture, np.random.default_rng(0)) is None


def row(ratio, flagged, name="true", **others):
    rates = {
        f"{kind} {rate:g}": rate for kind in ("truth", "beside") for rate in (0.01, 0.02, 0.05, 0.1)
    }
    base = {
        "source": "specimen",
        "kernels": "",
        "ratio": ratio,
        "flagged": flagged,
        "clear": flagged,
    }
    return base | {"limit": 1.0, "map": name} | rates | others


def test_tables_hold_shares_by_visibility_and_map(tmp_path):
    rows = [row(3, 1.0), row(3, 0.0), row(0.1, 0.0), row(3, 1.0, "estimated")]
    rows.append(row(3, 1.0, kernels="its kernels given"))
    table = {line["change / noise"]: line for line in detection_table(rows)}
    assert table["2 to 4"]["trials"] == 2
    assert table["2 to 4"]["flagged, true map"].startswith("0.500")
    assert table["2 and more, specimen"]["flagged, estimated map"] == "1.000"
    assert table["2 and more, specimen, its kernels given"]["trials"] == 1
    lines = {line["pictures"]: line for line in calibration_table(rows, [])}
    assert lines["true picture, true map"]["5%"].startswith("0.050")
    plot_detection(rows, tmp_path / "curve.png")
    assert (tmp_path / "curve.png").stat().st_size > 0


def test_pictures_are_ranked_scene_by_scene():
    scores = {"faithful": (-2, -5), "sharpened": (-4, -3)}
    rows = [
        {"method": method, "scene": scene, "consistency": value, "inferred": 0, "flagged 0.05": 0}
        for method, values in scores.items()
        for scene, value in enumerate(values)
    ]
    assert [line["behind faithful"] for line in rank_table(rows)] == ["", "1 of 2"]


def test_bootstrap_interval_holds_the_mean():
    interval = bootstrap_interval(np.arange(20))
    assert interval.low < interval.mean == 9.5 < interval.high
