"""Batches that profile stacks: a table for each file, and a report with plates as heat maps."""

import csv
from pathlib import Path

import numpy as np
import pytest

from napari_defocus import focus_profile
from napari_defocus.batch.focus import measure_tilt
from napari_defocus.batch.focus_report import find_well
from napari_defocus.batch.plan import make_plan
from napari_defocus.batch.run import run_plan
from napari_defocus.batch.settings import Settings
from napari_defocus.io import Metadata, Picture, write_picture

from ..stacks.scenes import rendered_stack


@pytest.fixture(scope="module")
def planes():
    return (rendered_stack(4, 1.0) * 40000 + 100).clip(0, 65535).astype(np.uint16)


@pytest.fixture(scope="module")
def finished(planes, tmp_path_factory):
    """A batch of two wells, of which one has two channels, and of a single plane."""
    folder = tmp_path_factory.mktemp("screen")
    both = np.stack([planes, planes[::-1]])
    write_picture(folder / "B02.ome.tif", both, Picture(both, "CZYX", Metadata()))
    write_picture(folder / "C03.tif", planes, Picture(planes, "ZYX", Metadata()))
    write_picture(folder / "single.png", planes[0])
    plan = make_plan([folder], folder / "out", Settings(task="focus"))
    *_, last = run_plan(plan)
    assert last is not None
    return plan


def rows_of(path):
    return list(csv.DictReader(path.read_text().splitlines()))


def test_each_channel_has_a_row(finished, planes):
    table = finished.folder / "B02-focus.csv"
    rows = rows_of(table)
    assert [row["C"] for row in rows] == ["0", "1"]
    best = [float(row["best plane"]) for row in rows]
    assert best[0] == pytest.approx(float(focus_profile(planes).best), abs=0.2)
    assert best[1] == pytest.approx(3 - best[0], abs=0.2)
    assert all(0 < float(row["radius (px)"]) < 2 for row in rows)
    assert rows[0]["statement"].startswith(f"plane {best[0]:.1f} ± ")
    assert table.with_name("B02-focus.csv.json").exists()


def test_the_report_has_a_row_a_stack_and_says_what_failed(finished):
    rows = rows_of(finished.folder / "report.csv")
    states = [(Path(row["file"]).name, row["stack"], row["state"]) for row in rows]
    assert states == [
        ("B02.ome.tif", "C=0", "done"),
        ("B02.ome.tif", "C=1", "done"),
        ("C03.tif", "", "done"),
        ("single.png", "", "failed"),
    ]
    assert "holds one plane" in rows[-1]["message"]


def test_wells_are_shown_as_heat_maps(finished):
    page = (finished.folder / "report.html").read_text()
    assert page.count('<table class="plate">') == 3  # two channels, and a stack without
    assert "<th>B</th>" in page
    assert "Best plane by well, C=1" in page


def test_a_finished_batch_is_kept(finished):
    again = make_plan([finished.items[0].source], finished.folder, Settings(task="focus"))
    outcomes = [event.outcome for event in run_plan(again) if event.outcome]
    assert [outcome.state for outcome in outcomes] == ["verified"]


@pytest.mark.parametrize(
    ("name", "well"),
    [
        ("A1.tif", ("A", 1)),
        ("exp_H12_z.tif", ("H", 12)),
        ("IMG2021.tif", None),
        ("AB12.tif", None),
        ("B123.tif", None),
    ],
)
def test_wells_are_named_by_files(name, well):
    assert find_well(Path(name)) == well


def test_the_tilt_of_too_few_tiles_is_unknown():
    assert np.isnan(measure_tilt(np.full((3, 3), np.nan))).all()
    assert np.isnan(measure_tilt(np.array([[1.0, 2.0, np.nan]]))).all()
