"""The command focus: statement, table, best plane, planes from several files."""

import csv
import json

import numpy as np
import pytest

from napari_defocus import focus_profile, provenance
from napari_defocus.io import Metadata, Picture, read_picture, write_picture
from napari_defocus.stacks.job import FocusJob

from ..stacks.scenes import rendered_stack


@pytest.fixture(scope="module")
def planes():
    return (rendered_stack(3, 1.0) * 255).clip(0, 255).astype(np.uint8)


def write_stack(path, data, axes):
    write_picture(path, data, Picture(data, axes, Metadata()))
    return path


@pytest.fixture
def stack_file(planes, tmp_path):
    return write_stack(tmp_path / "stack.tif", planes, "ZYX")


@pytest.fixture
def plane_files(planes, tmp_path):
    """Files whose natural order is not that of the alphabet, given in that of the alphabet."""
    paths = [tmp_path / f"p{number}.png" for number in (2, 9, 10)]
    for path, plane in zip(paths, planes, strict=True):
        write_picture(path, plane)
    return sorted(paths)


def test_the_statement_and_the_table_are_those_of_the_api(run, planes, stack_file, tmp_path):
    table, best = tmp_path / "focus.csv", tmp_path / "best.tif"
    done = run("focus", stack_file, "--csv", table, "--best", best)
    profile = focus_profile(planes)
    assert done.out.splitlines() == [profile.statement, str(table), str(best)]
    rows = [*csv.DictReader(table.read_text().splitlines())]
    assert [row["plane"] for row in rows] == ["0", "1", "2"]
    for name in ("radius", "share_in_focus", "sharpest", "confidence", "variance"):
        figures = [float(row[name]) for row in rows]
        np.testing.assert_allclose(figures, getattr(profile, name), rtol=1e-5)
    np.testing.assert_array_equal(read_picture(best).data, planes[1])
    record = json.loads((tmp_path / "focus.csv.json").read_text())
    assert record.pop("statement") == profile.statement
    assert record["input"] == provenance(FocusJob(planes), path="stack.tif")["input"]


def test_files_of_one_plane_are_taken_in_natural_order(run, planes, plane_files, tmp_path):
    table, best = tmp_path / "focus.csv", tmp_path / "best.png"
    done = run("focus", *plane_files, "--csv", table, "--best", best)
    assert done.out.splitlines()[0] == f"p9.png: {focus_profile(planes).statement}"
    np.testing.assert_array_equal(read_picture(best).data, planes[1])
    record = json.loads((tmp_path / "focus.csv.json").read_text())
    assert record["planes"] == ["p2.png", "p9.png", "p10.png"]


def test_a_folder_stands_for_the_planes_in_it(run, plane_files, tmp_path):
    table = tmp_path / "focus.csv"
    of_folder = run("focus", tmp_path, "--csv", table).out
    of_files = run("focus", *plane_files, "--csv", table, "--overwrite").out
    assert of_folder == of_files
    (tmp_path / "none").mkdir()
    assert "none holds no image file" in run("focus", tmp_path / "none").error


def test_every_time_point_and_color_stack_has_a_line_and_a_plane(run, planes, tmp_path):
    both = np.stack([planes, planes[[1, 0, 2]]])
    path = write_stack(tmp_path / "times.ome.tif", both, "TZYX")
    table, best = tmp_path / "focus.csv", tmp_path / "best.tif"
    done = run("focus", path, "--csv", table, "--best", best)
    assert [line[:11] for line in done.out.splitlines()[:2]] == ["T=0: plane ", "T=1: plane "]
    np.testing.assert_array_equal(read_picture(best).data, [planes[1], planes[1]])
    assert table.read_text().splitlines()[0].startswith("axis 0,plane,radius")
    colors = write_stack(tmp_path / "colors.tif", np.repeat(planes[..., None], 3, -1), "ZYXS")
    run("focus", colors, "--best", tmp_path / "color.tif")
    expected = np.repeat(planes[1, ..., None], 3, -1)
    np.testing.assert_array_equal(read_picture(tmp_path / "color.tif").data, expected)


@pytest.mark.parametrize("axis", ["t", "0", "-3"])
def test_the_axis_is_named_by_letter_or_number(run, planes, tmp_path, axis):
    path = write_stack(tmp_path / "times.tif", planes, "TYX")
    expected = focus_profile(planes).statement + "\n"
    assert run("focus", path, "--axis", axis).out == expected
    assert run("focus", path).out == expected


def test_channels_are_planes_of_a_stack_if_the_axis_says_so(run, planes, tmp_path):
    path = write_stack(tmp_path / "channels.tif", planes, "CYX")
    assert run("focus", path, "--axis", "C").out == focus_profile(planes).statement + "\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["stack.tif", "--axis", "Q"], "--axis is 'Q', and stack.tif has planes along the axes Z"),
        (["stack.tif", "--axis", "5"], "axis is 5; the axes of planes in an array"),
        (["p2.png"], "p2.png holds one plane; give a file with a stack, or several files"),
        (["p2.png", "stack.tif"], "stack.tif holds uint8 (3, 64, 64), and the first plane"),
        (["colors.tif"], "colors.tif holds one plane of 3 channels; give a file with a stack"),
        (["stack.tif", "stack.tif"], "of several files each should hold one plane"),
        (["p2.png", "small.png"], "small.png holds uint8 (8, 9), and the first plane uint8"),
        (["stack.tif", "--csv", "focus.txt"], "give a name that ends in .csv"),
        (["stack.tif", "--best", "stack.tif"], "stack.tif is read by the same command"),
        (["p2.png", "missing.png"], "missing.png cannot be read"),
    ],
)
def test_mistakes_are_told_in_one_sentence(
    run, stack_file, plane_files, tmp_path, words, message, monkeypatch
):
    write_picture(tmp_path / "small.png", np.zeros((8, 9), np.uint8))
    write_stack(tmp_path / "colors.tif", np.zeros((3, 32, 32), np.uint16), "CYX")
    monkeypatch.chdir(tmp_path)
    assert message in run("focus", *words).error


def test_without_a_best_plane_none_is_written(run, tmp_path):
    path = write_stack(tmp_path / "empty.tif", np.zeros((2, 32, 32), np.uint8), "ZYX")
    done = run("focus", path, "--best", tmp_path / "best.tif")
    assert done.status == 2
    assert done.out == "nothing to judge by\n"
    assert "best.tif is not written" in done.err
    assert not (tmp_path / "best.tif").exists()
