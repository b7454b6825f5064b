"""Batches of dual-pixel raw files: maps from both views, where a file holds two."""

import json

import numpy as np
import pytest

from napari_defocus import EstimateJob, Options, deblur, estimate_defocus
from napari_defocus.batch.existing import ExistingFileError
from napari_defocus.batch.plan import make_plan
from napari_defocus.batch.run import run_plan
from napari_defocus.batch.settings import Settings
from napari_defocus.defocus_map import DefocusMap
from napari_defocus.io import read_picture, resolve_options, write_picture
from napari_defocus.io.raw import read_dual_pixel
from napari_defocus.models import find_model, load_network
from napari_defocus.views import picture_views

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
    """A portrait whose upper half lies on one side of the plane of focus, the lower on the other.

    The camera was turned: the top of the picture is on the left of the sensor.
    """
    scene = texture((96, 160))
    one, other = dual_pixel_halves(scene, 4), dual_pixel_halves(scene, -4)
    is_left = np.arange(160) < 80
    sides = (np.where(is_left, *both) for both in zip(one, other, strict=True))
    write_halves(tmp_path / "a.cr2", *sides, orientation=6)
    return tmp_path / "a.cr2"


def run_batch(source, folder, **changes):
    """Run a batch of one file; return radius, confidence and sharp, and their records."""
    plan = make_plan([source], folder, Settings(task="both", **changes))
    *_, last = run_plan(plan)
    assert last.outcome.state == "done", last.outcome.message
    paths = list(plan.items[0].results.values())
    records = [json.loads(path.with_name(f"{path.name}.json").read_text()) for path in paths]
    return [read_picture(path).data for path in paths], records


def summary(record):
    """Return whether the map came from two views, and the names of the models."""
    parameters = record["parameters"]
    two_views = bool(parameters.get("right") or isinstance(parameters.get("defocus"), dict))
    return two_views, [model["name"] for model in record["models"]]


def test_radii_are_upright_and_signed(cr2, tmp_path):
    (radius, _, sharp), _ = run_batch(cr2, tmp_path / "out", dual_pixel=True)
    assert radius.shape == sharp.shape[:2] == (160, 96)
    bare = from_disparity(read_dual_pixel(cr2), channel_axis=-1)
    assert is_scaled(radius, bare)
    assert np.median(bare[16:64, 16:-16]) == pytest.approx(disparity_radius(4), rel=0.1)
    assert np.median(bare[96:-16, 16:-16]) == pytest.approx(disparity_radius(-4), rel=0.1)


def test_results_equal_those_of_the_api(cr2, tmp_path):
    (radius, confidence, sharp), _ = run_batch(cr2, tmp_path / "out", dual_pixel=True)
    views, photo = read_dual_pixel(cr2), read_picture(cr2).data
    defocus = estimate_defocus(views.left.data, right=views.right.data, channel_axis=-1)
    np.testing.assert_array_equal(radius, views.upright(defocus.radius))
    np.testing.assert_array_equal(confidence, views.upright(defocus.confidence))
    guide = DefocusMap(radius, confidence, signed=True)
    np.testing.assert_array_equal(sharp, deblur(photo, guide, channel_axis=-1))


def test_records_name_the_views_and_their_models(cr2, tmp_path):
    _, (radius, _, sharp) = run_batch(cr2, tmp_path / "out", dual_pixel=True)
    assert summary(radius) == (True, ["dual-pixel", "single"])
    assert summary(sharp) == (True, ["photo-faithful", "dual-pixel", "single"])
    assert sharp["input"]["shape"] == [160, 96, 3]


def test_colors_can_be_read_as_planes(cr2, tmp_path):
    options = Options(channel_axis="none", encoding="srgb")
    (radius, _, _), _ = run_batch(cr2, tmp_path / "out", dual_pixel=True, options=options)
    assert radius.shape == (3, 160, 96)
    picture = read_picture(cr2).as_planes()
    views = picture_views(cr2, picture, dual_pixel=True)
    network = load_network(find_model("auto", "dual"))
    bare = EstimateJob(views, network, resolve_options(picture, options)).run().radius
    assert all(map(is_scaled, radius, bare))
    assert np.median(bare[:, 16:64, 16:-16]) == pytest.approx(disparity_radius(4), rel=0.1)


def test_one_view_is_used_without_the_option(cr2, tmp_path):
    (radius, _, _), (record, *_) = run_batch(cr2, tmp_path / "out")
    expected = estimate_defocus(read_picture(cr2).data, channel_axis=-1)
    np.testing.assert_array_equal(radius, expected.radius)
    assert summary(record) == (False, ["single"])


@pytest.mark.parametrize("name", ["one.cr2", "two.dng", "none.png"])
def test_the_option_changes_nothing_for_files_without_a_second_view(tmp_path, name):
    source, scene = tmp_path / name, texture()
    frames = [counts(scene), counts(scene / 2)]
    if name == "none.png":
        write_picture(source, counts(scene))
    else:
        write_dng(source, *frames[: 1 if name == "one.cr2" else 2])
    with_option, (record, *_) = run_batch(source, tmp_path / "with", dual_pixel=True)
    without, (former, *_) = run_batch(source, tmp_path / "without")
    for one, other in zip(with_option, without, strict=True):
        np.testing.assert_array_equal(one, other)
    assert not summary(record)[0]
    assert record["models"] == former["models"]
    assert record["parameters"] == former["parameters"]


def test_one_batch_takes_files_with_and_without_a_second_view(cr2, tmp_path):
    write_dng(tmp_path / "b.cr2", counts(texture()))
    (tmp_path / "c.cr2").write_bytes(cr2.read_bytes()[:300])
    settings = Settings(task="map", dual_pixel=True)
    outcomes = [
        event.outcome
        for event in run_plan(make_plan([tmp_path], tmp_path / "out", settings))
        if event.outcome
    ]
    assert [outcome.state for outcome in outcomes] == ["done", "done", "failed"]
    assert "c.cr2 is damaged" in outcomes[-1].message
    again = run_plan(make_plan([tmp_path], tmp_path / "out", settings))
    assert [event.outcome.state for event in again if event.outcome] == [
        "verified",
        "verified",
        "failed",
    ]


def test_results_made_with_another_option_are_replaced_on_request(cr2, tmp_path):
    run_batch(cr2, tmp_path / "out")
    with pytest.raises(ExistingFileError, match="made with other settings"):
        run_batch(cr2, tmp_path / "out", dual_pixel=True)
    for changes in ({"dual_pixel": True}, {}):
        run_batch(cr2, tmp_path / "out", existing="replace", **changes)
