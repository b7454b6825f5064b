"""The command map: radii, confidence and preview, options, provenance and errors."""

import json

import numpy as np
import pytest

from napari_defocus import estimate_defocus
from napari_defocus.io import Length, read_picture, write_picture
from napari_defocus.map_colors import paint_map
from napari_defocus.map_statistics import sure_radii

from .conftest import blobs


def test_same_bytes_as_the_api(run, photo, tmp_path):
    completed = run(
        "map", photo, tmp_path / "r.tif",
        "--confidence-out", tmp_path / "c.tif", "--preview-out", tmp_path / "p.png",
    )  # fmt: skip
    assert completed.status == 0
    assert completed.out.split() == [str(tmp_path / name) for name in ("r.tif", "c.tif", "p.png")]
    assert completed.err == ""
    expected = estimate_defocus(read_picture(photo).data, channel_axis=-1)
    written = read_picture(tmp_path / "r.tif")
    assert written.data.dtype == np.float32
    np.testing.assert_array_equal(written.data, expected.radius)
    np.testing.assert_array_equal(read_picture(tmp_path / "c.tif").data, expected.confidence)
    np.testing.assert_array_equal(
        read_picture(tmp_path / "p.png").data, paint_map(sure_radii(*expected))
    )


def test_every_file_has_its_provenance(run, photo, tmp_path):
    run("map", photo, tmp_path / "r.tif", "--preview-out", tmp_path / "p.png", "--tile", 32)
    records = [json.loads((tmp_path / f"{name}.json").read_text()) for name in ("r.tif", "p.png")]
    assert records[0] == records[1]
    record = records[0]
    assert record["function"] == "estimate_defocus"
    assert record["model"] == "single"
    assert len(record["sha256"]) == 64
    assert record["input"]["path"] == "photo.jpg"
    assert record["parameters"]["encoding"] == "srgb"
    assert record["parameters"]["value_range"] == [0, 255]
    assert record["parameters"]["tile"] == 32
    assert record["input"]["shape"] == [40, 48, 3]


def test_the_default_output_is_beside_the_picture(run, photo):
    assert run("map", photo).out == f"{photo.parent / 'photo-defocus.tif'}\n"
    assert (photo.parent / "photo-defocus.tif").exists()


def test_two_views_give_signed_radii(run, tmp_path):
    scene = (blobs(3, 40, 56) * 255).astype(np.uint8)
    for name, start in (("left", 8), ("right", 4)):
        view = np.moveaxis(scene[..., start : start + 48], 0, -1)
        write_picture(tmp_path / f"{name}.png", view, channel_axis=-1)
    left, right = tmp_path / "left.png", tmp_path / "right.png"
    assert run("map", left, tmp_path / "r.tif", "--right", right).status == 0
    expected = estimate_defocus(
        read_picture(left).data, right=read_picture(right).data, channel_axis=-1
    )
    np.testing.assert_array_equal(read_picture(tmp_path / "r.tif").data, expected.radius)
    record = json.loads((tmp_path / "r.tif.json").read_text())
    assert record["model"] == "dual-pixel"
    assert record["parameters"]["right"].startswith("sha256:")


def test_stack_keeps_axes_and_sizes(run, tmp_path):
    import tifffile

    stack = (blobs(2, 3, 24, 32) * 4000).astype(np.uint16)
    fields = {"axes": "TCYX", "unit": "um", "finterval": 2.0}
    tifffile.imwrite(
        tmp_path / "cells.tif", stack, imagej=True, metadata=fields, resolution=(10, 10)
    )
    assert run("map", tmp_path / "cells.tif", tmp_path / "r.tif").status == 0
    written = read_picture(tmp_path / "r.tif")
    assert written.axes == "TCYX"
    assert written.metadata.pixel_size["X"] == Length(0.1, "um")
    for channel in range(3):
        alone = estimate_defocus(stack[:, channel]).radius
        np.testing.assert_array_equal(written.data[:, channel], alone)


def test_options_reach_the_api(run, tmp_path):
    gray = (blobs(30, 36) * 1000).astype(np.float32)
    write_picture(tmp_path / "a.tif", gray)
    options = ["--value-range", -5, 2000, "--encoding", "srgb", "--downscale", 2, "--tile", "whole"]
    completed = run(
        "map", tmp_path / "a.tif", "--device", "cpu", "--precision", "float32", *options
    )
    assert completed.status == 0
    expected = estimate_defocus(
        gray, value_range=(-5, 2000), encoding="srgb", downscale=2, tile=None, device="cpu"
    )
    written = read_picture(tmp_path / "a-defocus.tif").data
    np.testing.assert_array_equal(written, expected.radius)


def test_channel_axis_can_be_set(run, tmp_path):
    planes = (blobs(3, 30, 36) * 255).astype(np.uint8)
    write_picture(tmp_path / "a.tif", planes)
    assert run("map", tmp_path / "a.tif", tmp_path / "color.tif", "--channel-axis", 0).status == 0
    assert read_picture(tmp_path / "color.tif").data.shape == (30, 36)
    assert run("map", tmp_path / "a.tif", tmp_path / "planes.tif").status == 0
    assert read_picture(tmp_path / "planes.tif").data.shape == (3, 30, 36)


def test_colors_can_be_read_as_planes(run, tmp_path):
    color = (np.moveaxis(blobs(3, 30, 36), 0, -1) * 255).astype(np.uint8)
    write_picture(tmp_path / "a.tif", color, channel_axis=-1)
    assert run("map", tmp_path / "a.tif", "--channel-axis", "none").status == 0
    assert read_picture(tmp_path / "a-defocus.tif").data.shape == (3, 30, 36)


def test_radii_in_a_png_are_refused(run, photo, tmp_path):
    words = (
        "map.png cannot hold radii, a real number a pixel; write a .tif, "
        "and add --preview-out for a picture in colors"
    )
    assert words in run("map", photo, tmp_path / "map.png").error


def test_preview_of_a_stack_is_refused_before_the_work(run, tmp_path):
    write_picture(tmp_path / "a.tif", (blobs(2, 24, 32) * 255).astype(np.uint8))
    completed = run("map", tmp_path / "a.tif", "--preview-out", tmp_path / "p.png")
    assert "p.png can show one plane, and the map has 2: axes QYX" in completed.error
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.tif"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (
            ["--model", "nonsense"],
            "there is no model 'nonsense'; for 'single' there are: microscopy-single, single",
        ),
        (["--model", "dual-pixel"], "made for the task 'dual', not 'single'"),
        (["--tile", "big"], "tile is 'big'; accepted are auto, whole, a whole number"),
        (["--tile", "0"], "tile is 0"),
        (["--downscale", "0"], "downscale is 0"),
        (["--device", "abacus"], "device is 'abacus'"),
        (["--value-range", "9", "3"], "value_range is (9.0, 3.0)"),
        (["--channel-axis", "x"], "channel_axis is 'x'; accepted are auto, none, a whole number"),
        (["--channel-axis", "1"], "48 channels"),
        (["--right", "{here}/other.png"], "the views differ"),
        (["--right", "{here}/none.png"], "none.png cannot be read: No such file"),
    ],
)
def test_impossible_options_are_refused(run, photo, options, words):
    write_picture(photo.parent / "other.png", np.zeros((9, 9), np.uint8))
    options = [option.format(here=photo.parent) for option in options]
    assert words in run("map", photo, *options).error
    assert not (photo.parent / "photo-defocus.tif").exists()


@pytest.mark.parametrize("option", [["--encoding", "gamma"], ["--precision", "half"], ["--nope"]])
def test_unknown_choices_show_the_usage(run, photo, option):
    completed = run("map", photo, *option)
    assert completed.status == 2
    assert "Usage" in completed.err
