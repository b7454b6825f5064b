"""Rendered focus stacks, classical measures, and tables of their scores."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from napari_defocus.io import write_picture
from training.evaluation.stacks.classical import MEASURES, best_planes
from training.evaluation.stacks.complex_wavelets import extended_depth_of_field
from training.evaluation.stacks.report import (
    best_plane_table,
    depth_table,
    empty_table,
    merged_table,
)
from training.evaluation.stacks.scenes import FocusStack, empty_stacks, stacks
from training.evaluation.stacks.scores import OWN, SINGLE, score_empty, score_merged


@pytest.fixture(scope="module")
def rendered(tmp_path_factory):
    """Two photographs, of which the second breathes, and a specimen."""
    folder = tmp_path_factory.mktemp("photographs")
    noise = np.random.default_rng(0).integers(0, 256, (320, 320, 3), np.uint8)
    write_picture(folder / "noise.png", noise, channel_axis=-1)
    return list(stacks(folder, 3, 7, held_out=False))


def test_stacks_are_what_their_names_say(rendered):
    assert [stack.kind for stack in rendered] == ["photograph", "photograph", "specimen"]
    assert [stack.breathes for stack in rendered] == [False, True, False]
    assert [stack.shape for stack in rendered] == ["flat", "tilt", "relief"]
    first, specimen = rendered[0], rendered[2]
    assert first.planes.dtype == np.uint8
    assert first.planes.shape[1:] == first.sharp.shape
    assert specimen.planes.dtype == np.uint16
    assert 9 <= len(first.planes) <= 25


def test_the_planes_in_focus_are_like_the_sharp_picture(rendered):
    first = rendered[0]
    errors = [np.abs(plane - first.sharp).mean() for plane in first.planes.astype(float)]
    assert first.error(int(np.argmin(errors))) == 0
    assert first.error(len(errors) + 5) > 1
    for best in best_planes(first).values():
        assert first.error(best) <= 1


def test_every_measure_prefers_the_sharper_plane():
    sharp = 10 + np.random.default_rng(0).random((32, 32))
    blurred = (sharp + np.roll(sharp, 1, 0) + np.roll(sharp, 1, 1)) / 3
    for measure in MEASURES.values():
        assert measure(sharp) > measure(blurred)


def test_empty_stacks_differ_from_plane_to_plane():
    for _, planes in empty_stacks(4, 0):
        assert (planes[0] != planes[1]).any()


def test_merged_pictures_are_scored(tmp_path):
    stripes = np.tile(np.uint8([40, 200, 40, 90]), (64, 16))
    soft = np.full_like(stripes, 92)
    sharp = np.repeat(stripes[..., None], 3, -1)
    planes = np.stack([sharp, np.repeat(soft[..., None], 3, -1)])
    depth = np.zeros((64, 64), np.float32)
    stack = FocusStack(
        planes, sharp.astype("f4"), depth, 3.0, np.ones(2), "photograph", "flat", "clean"
    )
    rows = list(score_merged([stack], {}, tmp_path))
    scores = {row["method"]: row for row in rows}
    assert scores[SINGLE]["psnr"] == 100
    assert scores[OWN]["psnr"] > 40
    assert scores[OWN]["depth error"] < 0.2
    assert (tmp_path / "000.png").exists()
    assert merged_table(rows)[0]["method"] == OWN
    assert depth_table(rows)[0]["light"] == "clean"


def test_tables_count_by_light_and_noise():
    rows = [
        {"method": OWN, "scene": "0", "light": "low", "error": 0.2, "within": 1.0},
        {"method": OWN, "scene": "1", "light": "clean", "error": 3.0, "within": 0.0},
    ]
    [line] = best_plane_table(rows)
    assert line["low"].startswith("1.00")
    assert line["clean"].startswith("0.00")
    noise = [{"noise": "white", "nothing": value, "deviation": value} for value in (1.0, 0.0)]
    [row] = empty_table(noise)
    assert (row["stacks"], row["nothing to judge by"], row["largest"]) == (2, "0.50", "1.00")


def test_the_noise_of_merged_empty_stacks_is_less():
    [row] = score_empty(1, 0)
    assert row["nothing"] == 1
    assert 0 < row["deviation"] < 0.7


def test_complex_wavelets_give_back_a_plane_and_take_the_sharper_half():
    rng = np.random.default_rng(0)
    sharp = (128 + 60 * gaussian_filter(rng.standard_normal((64, 96)), 1)).astype(np.uint8)
    same = extended_depth_of_field(np.stack([sharp, sharp]))
    np.testing.assert_array_equal(same, sharp)
    soft = gaussian_filter(sharp, 3)
    left = np.arange(96) < 48
    halves = np.stack([np.where(left, sharp, soft), np.where(left, soft, sharp)])
    merged = extended_depth_of_field(np.repeat(halves[..., None], 3, -1))[..., 0].astype(float)
    errors = [np.abs(plane.astype(float) - sharp).mean() for plane in halves]
    assert np.abs(merged - sharp).mean() < 0.2 * min(errors)
