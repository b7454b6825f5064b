"""Maps from both halves of dual-pixel raw files, where that is asked for and there are two."""

import json

import numpy as np
import pytest

from napari_defocus import deblur, estimate_defocus
from napari_defocus.batch.how import How
from napari_defocus.batch.plan import make_plan
from napari_defocus.batch.run import run_plan
from napari_defocus.batch.settings import Settings
from napari_defocus.defocus_map import DefocusMap
from napari_defocus.io import read_picture, write_picture
from napari_defocus.io.raw import read_dual_pixel
from napari_defocus.models import find_model, load_network
from napari_defocus.views import find_views

from ..raw_files import (
    counts,
    from_disparity,
    is_scaled,
    seen_by_halves,
    texture,
    told_by_disparity,
    write_dng,
    write_halves,
)

pytest.importorskip("rawpy")


@pytest.fixture
def cr2(tmp_path):
    """A portrait whose upper half lies on one side of the plane of focus, the lower on the other.

    The camera was turned: what is above in the picture is on the left of the sensor.
    """
    scene = texture((96, 160))
    one, other = seen_by_halves(scene, 4), seen_by_halves(scene, -4)
    is_left = np.arange(160) < 80
    sides = (np.where(is_left, *both) for both in zip(one, other, strict=True))
    write_halves(tmp_path / "a.cr2", *sides, orientation=6)
    return tmp_path / "a.cr2"


def written(source, folder, **given):
    """What a batch writes of a file, as (radius, confidence, sharp), and the records of these."""
    plan = make_plan([source], folder, Settings(task="both", **given))
    *_, last = run_plan(plan)
    assert last.outcome.state == "done", last.outcome.message
    paths = list(plan.items[0].results.values())
    records = [json.loads(path.with_name(f"{path.name}.json").read_text()) for path in paths]
    return [read_picture(path).data for path in paths], records


def told(record):
    models = [model["name"] for model in record["models"]]
    return record["parameters"]["dual_pixel"], record["parameters"]["views"], models


def test_radii_lie_upright_and_are_signed(cr2, tmp_path):
    (radius, _, sharp), _ = written(cr2, tmp_path / "out", dual_pixel=True)
    assert radius.shape == sharp.shape[:2] == (160, 96)
    bare = from_disparity(read_dual_pixel(cr2), channel_axis=-1)
    assert is_scaled(radius, bare)
    assert np.median(bare[16:64, 16:-16]) == pytest.approx(told_by_disparity(4), rel=0.1)
    assert np.median(bare[96:-16, 16:-16]) == pytest.approx(told_by_disparity(-4), rel=0.1)


def test_results_are_those_of_the_api(cr2, tmp_path):
    (radius, confidence, sharp), _ = written(cr2, tmp_path / "out", dual_pixel=True)
    views, photo = read_dual_pixel(cr2), read_picture(cr2).data
    found = estimate_defocus(views.left.data, views.right.data, channel_axis=-1)
    np.testing.assert_array_equal(radius, views.upright(found.radius))
    np.testing.assert_array_equal(confidence, views.upright(found.confidence))
    guide = DefocusMap(radius, confidence, signed=True)
    np.testing.assert_array_equal(sharp, deblur(photo, guide, channel_axis=-1))


def test_records_name_the_views_and_the_models_of_these(cr2, tmp_path):
    _, (radius, _, sharp) = written(cr2, tmp_path / "out", dual_pixel=True)
    assert told(radius) == (True, 2, ["dual-pixel", "single"])
    assert told(sharp) == (True, 2, ["photo-faithful", "dual-pixel", "single"])
    assert sharp["input"]["shape"] == [160, 96, 3]


def test_colors_may_be_planes_there_too(cr2, tmp_path):
    how = How(channel_axis="none", encoding="srgb")
    (radius, _, _), _ = written(cr2, tmp_path / "out", dual_pixel=True, how=how)
    assert radius.shape == (3, 160, 96)
    picture = how.interpreted(read_picture(cr2))
    views = find_views(cr2, picture, how, dual_pixel=True)
    network = load_network(find_model("auto", "dual"))
    found = estimate_defocus(*views.data, model=network, **how.arguments(picture))
    bare = views.upright(found).radius
    assert all(map(is_scaled, radius, bare))
    assert np.median(bare[:, 16:64, 16:-16]) == pytest.approx(told_by_disparity(4), rel=0.1)


def test_unasked_one_view_is_used(cr2, tmp_path):
    (radius, _, _), (record, *_) = written(cr2, tmp_path / "out")
    expected = estimate_defocus(read_picture(cr2).data, channel_axis=-1)
    np.testing.assert_array_equal(radius, expected.radius)
    assert told(record) == (False, 1, ["single"])


@pytest.mark.parametrize("name", ["one.cr2", "two.dng", "none.png"])
def test_files_without_a_second_view_are_done_as_ever(tmp_path, name):
    source, scene = tmp_path / name, texture()
    frames = [counts(scene), counts(scene / 2)]
    if name == "none.png":
        write_picture(source, counts(scene))
    else:
        write_dng(source, *frames[: 1 if name == "one.cr2" else 2])
    asked, (record, *_) = written(source, tmp_path / "asked", dual_pixel=True)
    unasked, (former, *_) = written(source, tmp_path / "unasked")
    for one, other in zip(asked, unasked, strict=True):
        np.testing.assert_array_equal(one, other)
    assert told(record)[:2] == (True, 1)
    assert record["models"] == former["models"]


def test_files_of_both_kinds_go_through_one_batch(cr2, tmp_path):
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


def test_results_are_done_again_when_the_option_changes(cr2, tmp_path):
    for given in ({}, {"dual_pixel": True}, {}):
        written(cr2, tmp_path / "out", **given)
