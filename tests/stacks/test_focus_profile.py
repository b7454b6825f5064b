"""Focus through stacks of any kind, by the shipped model."""

import warnings
from importlib.resources import files
from pathlib import Path

import dask.array
import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from napari_defocus import (
    FocusJob,
    FocusProfile,
    ImageError,
    OptionError,
    estimate_defocus,
    focus_profile,
    provenance,
    reblur,
)
from napari_defocus.io import read_picture

from ..evidence.scenes import smooth_noise
from .scenes import SIDE, rendered_stack

LINEAR = {"value_range": (0, 1)}
FIGURES = ("radius", "share_in_focus", "sharpest", "surface", "confidence", "variance")


@pytest.fixture(scope="module")
def stack():
    return rendered_stack(6, 2.3)


@pytest.fixture(scope="module")
def profile(stack):
    return focus_profile(stack, **LINEAR)


@pytest.fixture(scope="module")
def display():
    """Three planes of uint8, the middle one in focus."""
    return (rendered_stack(3, 1.0) * 255).clip(0, 255).astype(np.uint8)


def check_equal(profile, expected, order=np.s_[:]):
    for name in FIGURES:
        np.testing.assert_array_equal(getattr(profile, name), getattr(expected, name)[..., order])


def test_the_best_plane_is_that_in_focus(profile):
    assert isinstance(profile.best, float)
    assert profile.best == pytest.approx(2.3, abs=0.3)
    assert 0 < profile.best_uncertainty < 0.5
    assert profile.statement.startswith(f"plane {profile.best:.1f} ± ")
    for name in FIGURES:
        assert getattr(profile, name).shape == (6,)
    assert np.argmin(profile.radius) == np.argmax(profile.variance) == 2
    assert (profile.share_in_focus[[0, 5]] < 0.1).all()
    assert profile.share_in_focus[2] > 0.9


def test_photographs_in_color_have_a_best_plane():
    path = Path(str(files("napari_defocus") / "samples" / "stairwell-sharp.png"))
    sharp = read_picture(path).data[40:168, 40:168]
    noise = np.random.default_rng(0).normal(0, 3, (5, *sharp.shape))
    planes = [reblur(sharp, np.full((128, 128), abs(z - 2.4)), channel_axis=-1) for z in range(5)]
    stack = (planes + noise).clip(0, 255).astype(np.uint8)
    assert focus_profile(stack, channel_axis=-1).best == pytest.approx(2.4, abs=0.3)


def test_figures_are_those_of_the_maps(stack, profile):
    radius, confidence = estimate_defocus(stack, **LINEAR)
    np.testing.assert_array_equal(profile.radius, np.median(radius, axis=(1, 2)))
    np.testing.assert_array_equal(profile.share_in_focus, (radius <= 1).mean(axis=(1, 2)))
    np.testing.assert_allclose(profile.confidence, confidence.mean(axis=(1, 2)), rtol=1e-6)


def test_the_order_of_planes_changes_the_index_alone(stack, profile):
    mirrored = focus_profile(stack[::-1], **LINEAR)
    check_equal(mirrored, profile, np.s_[::-1])
    assert mirrored.best == pytest.approx(5 - profile.best)
    assert mirrored.best_uncertainty == pytest.approx(profile.best_uncertainty)


def test_a_tilted_sample_shows_in_the_grid():
    tilted = focus_profile(rendered_stack(6, 2.5, tilt=1.5, side=128), **LINEAR)
    assert tilted.tile == (16, 16)
    columns = tilted.best_grid.mean(axis=0)
    expected = 2.5 + 1.5 * np.linspace(-7 / 8, 7 / 8, 8)
    assert (np.diff(columns) > 0).all()
    np.testing.assert_allclose(columns, expected, atol=0.6)  # maps are smooth
    assert tilted.best_grid.shape == (8, 8)


def test_other_axes_are_profiled_one_by_one(display):
    pair = np.stack([display, display[[1, 0, 2]]])  # (time, planes, Y, X)
    expected = [focus_profile(each) for each in pair]
    for axis, array in ((1, pair), (0, pair.swapaxes(0, 1)), (-3, pair)):
        result = focus_profile(array, axis=axis)
        np.testing.assert_array_equal(result.best, [each.best for each in expected])
        np.testing.assert_array_equal(result.radius, [each.radius for each in expected])
        assert result.best_grid.shape == (2, 4, 4)
        assert [*result.statements] == [each.statement for each in expected]
    assert result.statement == "the sharpest planes of 2 of 2 stacks lie from 0.0 to 1.0"


def test_the_axis_counts_with_the_channels(display):
    expected = focus_profile(np.repeat(display[..., None], 3, -1), channel_axis=-1)
    first = np.repeat(display[None], 3, 0)
    check_equal(focus_profile(first, axis=1, channel_axis=0), expected)
    middle = np.repeat(display[:, None], 3, 1)
    check_equal(focus_profile(middle, axis=0, channel_axis=1), expected)


def test_channels_of_a_microscope_are_profiled_by_their_surest(display):
    faint = np.stack([display, np.zeros_like(display), np.zeros_like(display)], -1)
    result = focus_profile(faint, channel_axis=-1, imaging="microscopy")
    assert np.argmin(result.radius) == 1


class CountedPlanes:
    """An array that counts how often each of its planes is read, and whether one at a time."""

    def __init__(self, array):
        self.array, self.shape, self.dtype = array, array.shape, array.dtype
        self.ndim, self.reads = array.ndim, np.zeros(len(array), int)

    def __getitem__(self, index):
        values = self.array[index]
        assert values.ndim == 2
        self.reads[index[0]] += 1
        return values


def test_planes_are_read_once_and_one_at_a_time(display):
    planes = CountedPlanes(display)
    result = focus_profile(planes)
    assert [*planes.reads] == [1, 1, 1]
    check_equal(focus_profile(dask.array.from_array(display, chunks=(1, 32, 32))), result)


@pytest.mark.parametrize("count", [1, 2])
def test_one_plane_or_two_have_a_sharper_one(display, count):
    result = focus_profile(display[1 : 1 + count])
    assert result.radius.shape == (count,)
    assert (result.best, result.best_uncertainty) == (0, 0.5)


@pytest.mark.parametrize("count", [40, pytest.param(500, marks=pytest.mark.slow)])
def test_of_many_planes_the_sharp_one_is_best(stack, count):
    sharp, far = count // 3, gaussian_filter(stack[2], 6)
    rng = np.random.default_rng(0)
    planes = np.stack([far + 0.01 * rng.standard_normal(far.shape) for _ in range(count)])
    planes[sharp] = stack[2]
    result = focus_profile(planes[:, :32, :32].astype(np.float32), **LINEAR)
    assert result.radius.shape == (count,)
    assert result.best == pytest.approx(sharp, abs=0.5)


def test_missing_and_saturated_planes_are_not_judged(stack):
    damaged = np.stack([stack[1], np.full_like(stack[0], np.nan), stack[2], np.ones_like(stack[0])])
    result = focus_profile(damaged, **LINEAR)
    assert [*np.isnan(result.radius)] == [False, True, False, False]
    assert [*np.isnan(result.sharpest)] == [False, True, False, True]
    assert result.confidence[1] == 0
    assert result.best == 2


def test_a_missing_plane_does_not_move_the_best_one():
    stack = rendered_stack(7, 3.3)
    stack[3] = np.nan
    profile = focus_profile(stack, **LINEAR)
    assert abs(profile.best - 3.3) < 0.5
    assert np.isnan(profile.surface[3])
    assert profile.statement.endswith("; 1 plane holds no data")


def test_planes_may_be_a_list_of_equal_arrays(stack, profile):
    listed = focus_profile([*stack], **LINEAR)
    np.testing.assert_array_equal(listed.radius, profile.radius)
    with pytest.raises(ImageError, match=r"plane 1 of the stack has the shape \(9, 64\)"):
        focus_profile([stack[0], stack[1][:9]])
    with pytest.raises(ImageError, match="data type float32 and plane 0 float64"):
        focus_profile([stack[0].astype(float), stack[1].astype(np.float32)])


@pytest.mark.parametrize(
    ("planes", "words"), [(slice(3, 5), "before the first"), (slice(0, 2), "beyond the last")]
)
def test_focus_at_an_end_may_lie_beyond_it(stack, planes, words):
    statement = focus_profile(stack[planes], **LINEAR).statement
    assert f"the focus may lie {words} plane" in statement


def test_one_plane_is_not_called_the_sharpest(stack):
    assert focus_profile(stack[2:3], **LINEAR).statement.startswith("there is one plane; its")


def smooth_noise_planes(rng):
    planes = [smooth_noise(rng, SIDE, 1.5) for _ in range(3)]
    return (100 + 10 * np.stack(planes)).astype(np.uint8)


def empty_stacks():
    rng = np.random.default_rng(0)
    slope = 100.0 + np.arange(SIDE) + rng.normal(0, 2, (2, SIDE, SIDE))
    return {
        "black": np.zeros((2, SIDE, SIDE), np.uint8),
        "saturated": np.full((2, SIDE, SIDE), 255, np.uint8),
        "photons": rng.poisson(20, (2, SIDE, SIDE)).astype(np.uint16),
        "noise": rng.normal(0.5, 0.02, (2, SIDE, SIDE)).astype(np.float32),
        "noise of a camera": rng.poisson(100, (2, SIDE, SIDE)).astype(np.uint8),
        "slope": slope.astype(np.float32),
        "smooth noise": smooth_noise_planes(rng),
        "tiny": rng.integers(0, 255, (2, 5, 7)).astype(np.uint8),
    }


@pytest.mark.parametrize("name", empty_stacks())
def test_empty_stacks_have_nothing_to_judge_by(name):
    result = focus_profile(empty_stacks()[name])
    assert result.statement == "nothing to judge by"
    assert np.isnan(result.best)
    assert np.isnan(result.best_uncertainty)
    assert np.isnan(result.best_grid).all()


def test_blurred_stacks_have_no_sharp_plane(stack):
    result = focus_profile(rendered_stack(2, -4.0), **LINEAR)
    assert np.isnan(result.best)
    assert result.statement.startswith("no plane is sharp; the sharpest parts are")


@pytest.mark.parametrize(
    ("shape", "arguments", "words"),
    [
        ((8, 8), {}, "axis is 0; .* are none, for a stack needs one"),
        ((2, 8, 8), {"axis": 1}, r"axis is 1; .* shape \(2, 8, 8\) are 0"),
        ((2, 8, 8), {"axis": "Z"}, "axis is 'Z'"),
        ((3, 2, 8, 8), {"axis": 0, "channel_axis": 0}, "axis is 0; .* are 1"),
        ((2, 8, 8, 3), {"axis": -1, "channel_axis": -1}, "axis is -1"),
    ],
)
def test_axes_that_hold_no_planes_are_refused(shape, arguments, words):
    with pytest.raises(OptionError, match=words):
        focus_profile(np.zeros(shape, np.uint8), **arguments)


def test_stacks_without_planes_or_data_are_refused_as_images_are():
    with pytest.raises(ImageError, match="must not be empty"):
        focus_profile(np.zeros((0, 8, 8), np.uint8))
    with pytest.raises(ImageError, match="no finite value"):
        focus_profile(np.full((2, 8, 8), np.nan, np.float32))


def test_progress_reaches_the_end_and_nothing_is_warned_of(display):
    steps = []
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        focus_profile(display, progress=lambda done, total: steps.append((done, total)))
    assert steps[-1][0] == steps[-1][1] > 0


def test_provenance_names_axis_and_model(display):
    record = provenance(FocusJob(display, axis=0))
    assert record["function"] == focus_profile.__name__
    assert (record["parameters"]["axis"], record["parameters"]["model"]) == (0, "auto")
    assert record["models"][0]["task"] == "single"


def test_of_two_surfaces_the_wider_one_is_in_focus(stack):
    near, far = rendered_stack(7, 1.0), rendered_stack(7, 5.0)
    wide = np.arange(SIDE) < 40
    both = np.where(wide, near, far)
    assert focus_profile(both, **LINEAR).best == pytest.approx(1.0, abs=0.5)
    assert focus_profile(both[..., ::-1], **LINEAR).best == pytest.approx(1.0, abs=0.5)


def test_the_curve_of_the_surface_is_lowest_at_the_best_plane_of_a_deep_specimen():
    planes, tiles = 7, np.full((7, 4, 4), 3.0)
    for plane, count in enumerate((1, 1, 1, 2, 5, 1, 1)):  # each plane holds something sharp
        tiles[plane].flat[plane : plane + count] = 0.3
    tiles[3].flat[3] = 0.0
    variance = np.full(planes, 0.1)
    profile = FocusProfile(tiles.mean((1, 2)), 0.1, np.ones(planes), variance, tiles, (16, 16))
    assert int(np.argmin(profile.surface)) == round(profile.best) == 4
    assert int(np.argmin(profile.sharpest)) == 3
    assert "0.3 px out of focus; 4 other planes are as sharp" in profile.statement
