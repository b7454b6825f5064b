"""Pictures sharp everywhere, merged from stacks of any kind by the shipped model."""

import warnings

import dask.array
import numpy as np
import pytest
import zarr
from scipy.ndimage import gaussian_filter, shift

from napari_defocus import AllInFocusJob, ImageError, OptionError, all_in_focus, provenance

from .scenes import SIDE, rendered_stack, sharp_scene

LINEAR = {"value_range": (0, 1)}


@pytest.fixture(scope="module")
def stack():
    """A noisy stack of a tilted sample."""
    return rendered_stack(5, 2.0, tilt=1.5)


@pytest.fixture(scope="module")
def merged(stack):
    return all_in_focus(stack, **LINEAR)


@pytest.fixture(scope="module")
def display(stack):
    return (stack * 255).clip(0, 255).astype(np.uint8)


def error(image, scale=1.0):
    return np.sqrt(np.mean((np.asarray(image, float) / scale - sharp_scene(SIDE)) ** 2))


def test_the_picture_is_sharper_than_every_plane_and_less_noisy(stack, merged):
    assert error(merged.image) < 0.6 * min(map(error, stack))
    assert error(merged.image) < 0.015  # of it, the noise of a plane is 0.01


def test_the_depth_is_that_of_the_sample(merged):
    image, depth, confidence = merged
    truth = 2.0 + 1.5 * np.linspace(-1, 1, SIDE)
    assert image.shape == depth.shape == confidence.shape == (SIDE, SIDE)
    assert depth.dtype == confidence.dtype == np.float32
    assert np.abs(depth - truth).mean() < 0.3
    assert confidence.min() >= 0
    assert confidence.mean() > 0.7
    assert merged.move == 0


def test_the_order_of_planes_changes_the_depth_alone(stack, merged):
    mirrored = all_in_focus(stack[::-1], **LINEAR)
    np.testing.assert_allclose(mirrored.image, merged.image, atol=1e-5)
    np.testing.assert_allclose(mirrored.depth, 4 - merged.depth, atol=1e-3)
    np.testing.assert_allclose(mirrored.confidence, merged.confidence, atol=1e-4)


def test_another_axis_changes_nothing(display):
    colors = np.repeat(display[..., None], 3, axis=-1)
    first = all_in_focus(colors, channel_axis=-1)
    for axis, channel_axis in ((0, 1), (1, 0)):
        turned = np.moveaxis(colors, -1, channel_axis)
        other = all_in_focus(turned, axis=axis, channel_axis=channel_axis)
        np.testing.assert_array_equal(other.image, np.moveaxis(first.image, -1, 0))
        np.testing.assert_array_equal(other.depth, first.depth)
    assert first.image.shape == (SIDE, SIDE, 3)
    assert error(first.image[..., 0], 255) < 0.6 * min(error(p, 255) for p in display)


def test_other_axes_are_merged_one_by_one(stack, merged):
    both = np.stack([stack, stack[::-1]], axis=1)
    result = all_in_focus(both, **LINEAR)
    assert result.image.shape == result.depth.shape == (2, SIDE, SIDE)
    np.testing.assert_array_equal(result.image[0], merged.image)
    np.testing.assert_allclose(result.depth[1], 4 - merged.depth, atol=1e-3)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int32, np.float16, np.float64])
def test_a_stack_of_one_plane_comes_back_bit_for_bit(dtype):
    plane = (np.random.default_rng(0).random((1, 20, 24)) * 200).astype(dtype)
    result = all_in_focus(plane)
    np.testing.assert_array_equal(result.image, plane[0])
    assert result.image.dtype == dtype
    np.testing.assert_array_equal(result.depth, 0)


def test_two_planes_each_give_what_they_show(stack):
    near, far = rendered_stack(2, 0.0)[0], rendered_stack(5, 4.0)[0]
    left = np.arange(SIDE) < SIDE // 2
    pair = np.stack([np.where(left, near, far), np.where(left, far, near)])
    result = all_in_focus(pair, **LINEAR)
    assert error(result.image) < 0.7 * min(map(error, pair))
    np.testing.assert_allclose(result.depth[:, [10, -10]].mean(axis=0), [0, 1], atol=0.1)


@pytest.mark.parametrize("count", [20, pytest.param(500, marks=pytest.mark.slow)])
def test_many_small_planes_are_merged(count):
    planes = np.random.default_rng(0).random((count, 12, 12)).astype(np.float32)
    result = all_in_focus(planes, **LINEAR)
    assert np.isfinite(result.image).all()
    assert 0 <= result.depth.min() <= result.depth.max() <= count - 1


def test_values_scale_with_the_stack(stack, merged):
    doubled = all_in_focus(1000 + 2000 * stack, value_range=(1000, 3000))
    np.testing.assert_allclose((doubled.image - 1000) / 2000, merged.image, atol=1e-3)
    np.testing.assert_allclose(doubled.depth, merged.depth, atol=0.02)


@pytest.mark.parametrize("dtype", [np.int64, np.float64, np.uint32])
@pytest.mark.parametrize("shape", [(3, 5, 7), (2, 9, 40)])
def test_odd_shapes_and_types_are_merged(shape, dtype):
    planes = (np.random.default_rng(0).random(shape) * 2.0**30).astype(dtype)
    result = all_in_focus(planes, align="shift")
    assert result.image.dtype == dtype
    assert planes.min() * 0.5 <= result.image.min() <= result.image.max() <= planes.max() * 1.5
    assert result.move == 0


def test_counts_of_16_bits_are_merged(stack, merged):
    counts = (100 + 60000 * stack).round().astype(np.uint16)
    result = all_in_focus(counts)
    assert result.image.dtype == np.uint16
    np.testing.assert_allclose((result.image - 100.0) / 60000, merged.image, atol=0.03)
    np.testing.assert_allclose(result.depth, merged.depth, atol=0.5)


def test_channels_of_a_microscope_share_a_depth(display):
    colors = np.stack([display[:3], display[:3] // 2, display[:3] // 4], axis=-1)
    result = all_in_focus(colors, channel_axis=-1, imaging="microscopy")
    assert result.image.shape == (SIDE, SIDE, 3)
    assert result.depth.shape == (SIDE, SIDE)
    np.testing.assert_allclose(result.image[..., 0] / 2.0, result.image[..., 1], atol=2)


def test_pixels_with_a_value_for_no_data_keep_it_where_no_plane_has_any(display):
    counts = display[:3].astype(np.uint16) + 1
    counts[1, 10:14, 10:14] = 0
    counts[:, 30, 30] = 0
    result = all_in_focus(counts, nodata=0)
    assert result.image[30, 30] == 0
    assert (result.image == 0).sum() == 1


def test_missing_empty_and_saturated_planes_are_left_out(stack, merged):
    for value in (np.nan, 0.0, 1.0):
        holey = np.insert(stack, 2, value, axis=0)
        result = all_in_focus(holey, **LINEAR)
        np.testing.assert_allclose(result.image, merged.image, atol=1e-5)
        inner = merged.depth < 0.9
        np.testing.assert_allclose(result.depth[inner], merged.depth[inner], atol=1e-3)
        outer = merged.depth > 2.1
        np.testing.assert_allclose(result.depth[outer], merged.depth[outer] + 1, atol=1e-3)


def test_pixels_without_data_are_taken_from_other_planes(stack, merged):
    holey = stack.copy()
    holey[2, 20:30, 20:30] = np.nan
    holey[:, 50, 50] = np.nan
    result = all_in_focus(holey, **LINEAR)
    lost = np.isnan(result.image)
    assert lost[50, 50]
    assert lost.sum() == 1
    np.testing.assert_allclose(result.image[:, 40:48], merged.image[:, 40:48], atol=0.02)


def test_stacks_without_data_are_refused_and_even_ones_returned():
    with pytest.raises(ImageError, match="no finite value"):
        all_in_focus(np.full((3, 16, 16), np.nan))
    result = all_in_focus(np.full((3, 16, 16), 7, np.uint8))
    np.testing.assert_array_equal(result.image, 7)
    assert np.isnan(result.depth).all()
    assert not result.confidence.any()


def test_alpha_is_carried_through(display):
    colors = np.repeat(display[..., None], 4, axis=-1)
    colors[..., 3] = 200
    result = all_in_focus(colors, channel_axis=-1)
    assert (result.image[..., 3] == 200).all()
    np.testing.assert_array_equal(
        result.image[..., :3], all_in_focus(colors[..., :3], channel_axis=-1).image
    )


def test_flat_noisy_ground_is_not_noisier_than_a_plane():
    noise = np.random.default_rng(0).normal(0.5, 0.02, (6, 64, 64)).astype(np.float32)
    assert all_in_focus(noise, **LINEAR).image.std() < 0.7 * noise[0].std()


class CountedReads:
    """An array that counts how often each plane is read."""

    def __init__(self, array):
        self.array, self.reads = array, np.zeros(len(array), int)
        self.shape, self.dtype, self.ndim = array.shape, array.dtype, array.ndim

    def __getitem__(self, index):
        assert not isinstance(index[0], slice), "more than one plane at a time"
        self.reads[index[0]] += 1
        return self.array[index]


def test_depth_of_ground_that_shows_nothing_but_noise_is_not_sure():
    planes = rendered_stack(5, 2.0, side=128)
    noise = np.random.default_rng(1).standard_normal((5, 128, 64))
    planes[..., :64] = 0.5 + 0.01 * noise
    confidence = all_in_focus(planes, **LINEAR).confidence
    assert np.median(confidence[:, :40]) < 0.25
    assert np.median(confidence[:, 88:]) > 0.6


def test_lazy_stacks_give_the_same_and_are_read_twice_plane_by_plane(stack, tmp_path):
    expected = all_in_focus(stack)
    counted = CountedReads(stack)
    stored = zarr.create_array(tmp_path / "a.zarr", data=stack, chunks=(1, SIDE, SIDE))
    for lazy in (counted, stored, dask.array.from_array(stack, chunks=(1, SIDE, SIDE))):
        result = all_in_focus(lazy)
        for part, other in zip(result, expected, strict=True):
            np.testing.assert_array_equal(part, other)
    assert counted.reads.max() == 2


def test_dask_stacks_are_computed_plane_by_plane_and_give_numpy(display):
    at_once, most, reads = 0, 0, np.zeros(len(display), int)

    def read(number):
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        reads[number] += 1
        plane = display[number]
        at_once -= 1
        return plane

    planes = [
        dask.array.from_delayed(dask.delayed(read)(number), plane.shape, plane.dtype)
        for number, plane in enumerate(display)
    ]
    result = all_in_focus(dask.array.stack(planes))
    assert type(result.image) is type(result.depth) is np.ndarray
    np.testing.assert_array_equal(result.image, all_in_focus(display).image)
    assert most == 1
    assert reads.max() == 2


@pytest.mark.parametrize(("align", "limit"), [("shift", 0.02), ("auto", 0.02)])
def test_planes_that_moved_are_aligned(align, limit):
    large = rendered_stack(4, 1.5, tilt=1.0, side=128)
    moved = np.stack([np.roll(plane, (2 * z, -3 * z), (0, 1)) for z, plane in enumerate(large)])
    result = all_in_focus(moved, align=align, **LINEAR)
    assert result.move > 5
    inner = np.s_[24:-24, 24:-24]
    errors = [
        np.sqrt(
            np.mean((np.roll(result.image, (-2 * z, 3 * z), (0, 1)) - sharp_scene(128))[inner] ** 2)
        )
        for z in range(4)
    ]
    assert min(errors) < limit
    still = all_in_focus(moved, align="none", **LINEAR)
    assert still.move == 0


def test_the_order_of_planes_that_moved_changes_the_depth_alone():
    planes = rendered_stack(4, 1.5, tilt=1.0, side=128)
    moved = [shift(plane, (1.3 * i, -0.7 * i), mode="nearest") for i, plane in enumerate(planes)]
    results = [all_in_focus(moved[::step], align="shift", **LINEAR) for step in (1, -1)]
    assert results[0].move > 1
    np.testing.assert_allclose(results[0].image, results[1].image, atol=1e-5)
    np.testing.assert_allclose(results[0].depth, 3 - results[1].depth, atol=1e-3)


def test_planes_of_another_brightness_are_matched():
    planes = (rendered_stack(3, 1.0, side=96)[..., None] * [150, 160, 170]).clip(0, 255)
    brighter = planes * np.reshape([1.0, 1.2, 1.0], (3, 1, 1, 1))
    expected, result = (
        all_in_focus(each.clip(0, 255).astype(np.uint8), channel_axis=-1).image.astype(float)
        for each in (planes, brighter)
    )
    ratio = result.mean() / expected.mean()
    assert ratio == pytest.approx(1, abs=0.03) or ratio == pytest.approx(1.2, abs=0.05)
    np.testing.assert_allclose(result / ratio, expected, atol=12)


def test_what_no_plane_shows_sharply_is_deblurred():
    blurred = rendered_stack(2, -1.5, side=96)
    truth = sharp_scene(96)
    plain, deblurred = (
        all_in_focus(blurred, deblur_rest=rest, **LINEAR).image for rest in (False, True)
    )
    assert np.square(deblurred - truth).mean() < 0.95 * np.square(plain - truth).mean()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"axis": 1}, "axis is 1; the axes of planes"),
        ({"align": "rotation"}, "align is 'rotation'; 'auto', 'none', 'shift', 'similarity' are"),
        ({"align": None}, "align is None"),
        ({"deblur_rest": 1}, "deblur_rest is 1; True or False is expected"),
    ],
)
def test_arguments_that_cannot_be_used_are_refused(arguments, words):
    with pytest.raises(OptionError, match=words):
        all_in_focus(np.zeros((3, 16, 16), np.uint8), **arguments)


def test_provenance_and_progress(display):
    job = AllInFocusJob(display, align="none")
    steps = []
    job.run(lambda done, total: steps.append((done, total)))
    assert steps == sorted(steps)
    assert steps[-1][0] == steps[-1][1]
    record = provenance(job)
    assert record["function"] == "all_in_focus"
    assert record["model"] == "single"
    assert record["parameters"]["align"] == "none"
    assert record["parameters"]["value_range"] == [0, 255]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert provenance(AllInFocusJob(display * 256.0))["parameters"]["value_range"] is None


def test_no_seam_shows_where_the_plane_changes():
    """Halves of a smooth ramp, in focus in different planes, with an even strip between them."""
    ramp = np.broadcast_to(np.linspace(0.2, 0.8, 96, dtype=np.float32), (96, 96))
    dots = gaussian_filter(np.random.default_rng(0).normal(0, 0.3, (96, 96)), 1)
    x = np.arange(96)
    parts = [dots * (x < 40), dots * (x >= 56)]
    planes = np.stack([ramp + part for part in parts]).astype(np.float32)
    result = all_in_focus(planes, **LINEAR).image
    np.testing.assert_allclose(result[:, 42:54], ramp[:, 42:54], atol=0.01)
    np.testing.assert_allclose(result, ramp + sum(parts), atol=0.05)
