"""Tables of means and their intervals."""

import csv

import numpy as np
import pytest

from training.evaluation.intervals import mean_interval
from training.evaluation.tables import gains, markdown, means, write_csv

ROWS = [
    {"method": method, "scene": scene, "psnr": value}
    for method, scene, value in [
        ("input", "1", 20.0),
        ("input", "2", 30.0),
        ("ours", "1", 21.0),
        ("ours", "2", 31.2),
    ]
]


def test_means_are_taken_for_each_method():
    assert means(ROWS) == [{"method": "input", "psnr": 25.0}, {"method": "ours", "psnr": 26.1}]


def test_nan_scores_are_left_out():
    rows = [*ROWS, {"method": "ours", "scene": "3", "psnr": np.nan}]
    assert means(rows)[1]["psnr"] == pytest.approx(26.1)


def test_gains_are_paired_scene_by_scene():
    [row] = gains(ROWS, "input", ["psnr"])
    gain = row["psnr less input's"]
    assert gain.mean == pytest.approx(1.1)
    assert gain.high - gain.low == pytest.approx(2 * 12.706 * 0.1, abs=1e-3)


def test_scenes_that_get_worse_are_counted():
    rows = [
        {"method": method, "scene": scene, "psnr": psnr, "lpips_alex": lpips}
        for method, scene, psnr, lpips in [
            ("input", "1", 20.0, 0.3),
            ("input", "2", 30.0, 0.3),
            ("ours", "1", 19.0, 0.2),
            ("ours", "2", 31.0, 0.2),
        ]
    ]
    [row] = gains(rows, "input", ["psnr", "lpips_alex"])
    assert (row["worse in psnr"], row["worse in lpips_alex"]) == ("1 of 2", "0 of 2")


def test_about_95_of_100_intervals_contain_the_true_mean():
    draws = np.random.default_rng(0).normal(3, 2, (400, 7))
    intervals = [mean_interval(draw) for draw in draws]
    assert np.mean([i.low < 3 < i.high for i in intervals]) == pytest.approx(0.95, abs=0.03)


def test_one_scene_has_a_mean_but_no_interval():
    interval = mean_interval([4.0, np.nan])
    assert interval.mean == 4
    assert np.isnan(interval.low)
    assert np.isnan(mean_interval([]).mean)


def test_markdown_rounds_by_unit():
    table = markdown([{"method": "a", "psnr": 25.7812, "ssim": 0.6761, "sign": np.nan}])
    assert table.splitlines()[-1] == "| a | 25.78 | 0.676 |  |"


def test_unknown_gains_have_empty_cells():
    rows = [{"method": m, "scene": "1", "psnr": np.inf} for m in ("input", "ours")]
    assert markdown(gains(rows, "input", ["psnr"])).splitlines()[-1].startswith("| ours |  |")


def test_csv_keeps_every_scene(tmp_path):
    write_csv(
        tmp_path / "t.csv", [*ROWS, {"method": "map", "scene": "1", "mae_px": 0.5, "sign": np.nan}]
    )
    rows = list(csv.DictReader((tmp_path / "t.csv").read_text(encoding="utf-8").splitlines()))
    assert [row["psnr"] for row in rows] == ["20.0", "30.0", "21.0", "31.2", ""]
    assert (rows[-1]["mae_px"], rows[-1]["sign"]) == ("0.5", "")
