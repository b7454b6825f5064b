"""The option --dual-pixel of map, deblur and batch: maps from both views of a raw file."""

import json

import numpy as np
import pytest

from napari_defocus.io import read_picture
from napari_defocus.io.raw import read_dual_pixel

from ..raw_files import (
    counts,
    disparity_radius,
    dual_pixel_halves,
    from_disparity,
    is_scaled,
    texture,
    write_dng,
    write_halves,
)

pytest.importorskip("rawpy")


@pytest.fixture
def cr2(tmp_path):
    write_halves(tmp_path / "a.cr2", *dual_pixel_halves(texture((96, 128)), 4), orientation=8)
    return tmp_path / "a.cr2"


def record(path):
    return json.loads(path.with_name(f"{path.name}.json").read_text())


def summary(path):
    """Return whether the map came from two views, and the names of the models."""
    fields = record(path)
    parameters = fields["parameters"]
    two_views = bool(parameters.get("right") or isinstance(parameters.get("defocus"), dict))
    return two_views, [model["name"] for model in fields["models"]]


def test_map_deblur_and_batch_give_the_same_results(run, cr2, tmp_path):
    radius, sharp, out = tmp_path / "r.tif", tmp_path / "s.tif", tmp_path / "out"
    for completed in (
        run("map", cr2, radius, "--dual-pixel", "--confidence-out", tmp_path / "c.tif"),
        run("deblur", cr2, sharp, "--dual-pixel"),
        run("batch", cr2, out, "--dual-pixel", "--task", "both"),
    ):
        assert completed.status == 0
        assert "Note" not in completed.err
    for name, single in (
        ("a-defocus.tif", radius),
        ("a-confidence.tif", tmp_path / "c.tif"),
        ("a-deblurred.tif", sharp),
    ):
        one, other = read_picture(out / name).data, read_picture(single).data
        np.testing.assert_array_equal(one, other)
    written = read_picture(radius).data
    assert written.shape == (128, 96)
    bare = from_disparity(read_dual_pixel(cr2), channel_axis=-1)
    assert is_scaled(written, bare)
    assert np.median(bare[16:-16, 16:-16]) == pytest.approx(disparity_radius(4), rel=0.1)


def test_records_name_views_and_models(run, cr2, tmp_path):
    run("map", cr2, tmp_path / "r.tif", "--dual-pixel")
    run("deblur", cr2, tmp_path / "s.tif", "--dual-pixel")
    assert summary(tmp_path / "r.tif") == (True, ["dual-pixel", "single"])
    assert summary(tmp_path / "s.tif") == (True, ["photo-faithful", "dual-pixel", "single"])
    run("deblur", cr2, tmp_path / "m.tif", "--map", tmp_path / "r.tif")
    assert summary(tmp_path / "m.tif") == (False, ["photo-faithful"])


def test_one_view_is_used_without_the_option(run, cr2, tmp_path):
    run("map", cr2, tmp_path / "r.tif")
    assert read_picture(tmp_path / "r.tif").data.min() >= 0
    assert summary(tmp_path / "r.tif") == (False, ["single"])


@pytest.mark.parametrize(
    ("command", "models"), [("map", ["single"]), ("deblur", ["photo-faithful", "single"])]
)
def test_a_note_says_when_a_file_holds_one_view(run, tmp_path, command, models):
    cr2, one, other = (tmp_path / name for name in ("one.cr2", "1.tif", "2.tif"))
    write_dng(cr2, counts(texture()))
    completed = run(command, cr2, one, "--dual-pixel")
    assert completed.status == 0
    assert completed.err == f"Note: {cr2} does not hold two views; its map is estimated from one.\n"
    run(command, cr2, other)
    np.testing.assert_array_equal(read_picture(one).data, read_picture(other).data)
    assert summary(one) == (False, models)


@pytest.mark.parametrize(
    ("command", "options", "words"),
    [
        ("map", ["--right", "b.png"], "b.png is given for the right view, which --dual-pixel"),
        ("map", ["--model", "dual-pixel"], "model is 'dual-pixel' and --dual-pixel is on"),
        ("deblur", ["--map", "b.tif"], "b.tif is given for the map, which --dual-pixel"),
        ("deblur", ["--map-model", "single"], "map_model is 'single' and --dual-pixel is on"),
        ("batch", ["--map-model", "single"], "map_model is 'single' and dual_pixel is on"),
    ],
)
def test_options_that_contradict_it_are_refused(run, cr2, tmp_path, command, options, words):
    completed = run(command, cr2, tmp_path / "out.tif", "--dual-pixel", *options)
    assert words in completed.error
    assert not (tmp_path / "out.tif").exists()


def test_a_damaged_second_frame_is_refused(run, cr2, tmp_path):
    cr2.write_bytes(cr2.read_bytes()[:-20000])
    assert "a.cr2 is damaged" in run("map", cr2, tmp_path / "r.tif", "--dual-pixel").error
