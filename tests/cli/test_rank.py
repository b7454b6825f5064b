"""The command rank, and the plot of the command focus."""

import csv
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from napari_defocus.io import Metadata, Picture, write_picture

from ..stacks.scenes import rendered_stack


@pytest.fixture(scope="module")
def planes():
    return (rendered_stack(3, 1.0) * 255).clip(0, 255).astype(np.uint8)


def test_a_folder_is_ranked_with_reasons(run, planes, tmp_path):
    for name, plane in zip("abc", planes, strict=True):
        write_picture(tmp_path / f"{name}.png", plane)
    table = tmp_path / "rank.csv"
    done = run("rank", tmp_path, "--csv", table)
    first, *others, path = done.out.splitlines()
    assert first.startswith("1. b.png: its sharpest parts are ")
    assert first.endswith("the sharpest of 3 alike")
    assert all(line.endswith("; b.png of 3 alike is sharper") for line in others)
    assert path == str(table)
    rows = list(csv.DictReader(table.read_text().splitlines()))
    assert [row["place"] for row in rows] == ["1", "2", "3"]
    assert {row["group"] for row in rows} == {"b.png"}


def test_the_profile_is_plotted(run, planes, tmp_path):
    write_picture(tmp_path / "stack.tif", planes, Picture(planes, "ZYX", Metadata()))
    plot = tmp_path / "focus.svg"
    done = run("focus", tmp_path / "stack.tif", "--plot", plot)
    assert done.out.splitlines()[-1] == str(plot)
    drawn = ElementTree.fromstring(plot.read_text())
    curves = [part for part in drawn if part.tag.endswith("polyline")]
    assert [len(curve.get("points").split()) for curve in curves] == [3, 3]
    assert plot.with_name("focus.svg.json").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["rank", "one.png", "--csv", "a.txt"], "a.txt is for a table"),
        (["rank", "missing.png"], "missing.png"),
        (["rank", "stack.tif"], "stack.tif has shape (3, 64, 64), which holds several planes"),
        (["focus", "stack.tif", "--plot", "a.png"], "a.png is for a plot; give a name that ends"),
    ],
)
def test_mistakes_are_told_in_one_sentence(run, planes, tmp_path, words, message, monkeypatch):
    write_picture(tmp_path / "one.png", planes[0])
    write_picture(tmp_path / "stack.tif", planes, Picture(planes, "ZYX", Metadata()))
    monkeypatch.chdir(tmp_path)
    assert message in run(*words).error
