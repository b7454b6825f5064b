"""Batches of z-stacks of micrographs whose neighboring planes help each other."""

import json

import numpy as np
import pytest

from napari_defocus import Options, deblur
from napari_defocus.batch.plan import Plan, make_plan
from napari_defocus.batch.run import run_plan
from napari_defocus.batch.settings import Settings
from napari_defocus.io import read_picture, write_picture
from napari_defocus.io.picture import Picture

from ..cli.conftest import blobs

pytest.importorskip("zarr")


@pytest.fixture(scope="module")
def stack():
    return (blobs(2, 3, 40, 48) * 900).astype(np.uint16)


@pytest.fixture
def folder(stack, tmp_path):
    """Two stacks, one of them in a zarr store, a single plane, and a photograph."""
    folder = tmp_path / "in"
    folder.mkdir()
    for name in ("a.ome.tif", "b.ome.zarr"):
        write_picture(folder / name, stack, Picture(stack, "TZYX"))
    write_picture(folder / "plane.tif", stack[0, 0])
    photo = (blobs(40, 48, 3) * 255).astype(np.uint8)
    write_picture(folder / "photo.png", photo, Picture(photo, "YXS"))
    return folder


def outcomes(plan):
    steps = [event for event in run_plan(plan) if event.outcome is not None]
    return {plan.items[event.index].source.name: event.outcome for event in steps}


def test_stacks_are_restored_as_by_the_function(folder, stack, tmp_path):
    settings = Settings(stack_axis="Z")
    done = outcomes(make_plan([folder], tmp_path / "out", settings))
    expected = deblur(stack, stack_axis=1)
    for name in ("a.ome.tif", "b.ome.zarr"):
        assert done[name].state == "done", done[name].message
        result = tmp_path / "out" / name.replace(".ome", "-deblurred.ome")
        np.testing.assert_array_equal(read_picture(result).data, expected)
        record = json.loads(result.with_name(f"{result.name}.json").read_text(encoding="utf-8"))
        assert record["parameters"]["stack_axis"] == 1
    assert "stack_axis = Z" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert Plan.read(tmp_path / "out").settings == settings


def test_files_without_such_an_axis_are_named(folder, tmp_path):
    done = outcomes(make_plan([folder], tmp_path / "out", Settings(stack_axis="auto")))
    assert {name for name, outcome in done.items() if outcome.state == "failed"} == {
        "plane.tif",
        "photo.png",
    }
    for name in ("plane.tif", "photo.png"):
        message = done[name].message
        assert message == f"{folder / name} holds one plane; leave out stack_axis"
    plan = make_plan([folder / "a.ome.tif"], tmp_path / "channels", Settings(stack_axis="C"))
    message = outcomes(plan)["a.ome.tif"].message
    assert message.startswith("stack_axis is 'C', and")
    assert "has planes along the axes T, Z; give one of them" in message


def test_photographs_are_refused_before_their_maps_are_made(stack, tmp_path):
    source = tmp_path / "series.tif"
    write_picture(source, stack[0], Picture(stack[0], "ZYX"))
    settings = Settings(stack_axis="Z", options=Options(imaging="photograph"))
    (outcome,) = outcomes(make_plan([source], tmp_path / "out", settings)).values()
    assert outcome.state == "failed"
    assert "the image is a photograph; neighboring planes help" in outcome.message
