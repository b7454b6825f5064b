"""Planes of a stack that are restored with the help of their neighbors."""

import dask
import dask.array
import numpy as np
import pytest
import torch
from torch import nn

from napari_defocus import DeblurJob, DefocusMap, OptionError, Options, deblur, provenance
from napari_defocus.networks.descriptor import Descriptor
from napari_defocus.objective import Objective
from napari_defocus.pipeline.richardson_lucy import DefocusBlur

SIDE = 64
RADII = (2.0, 3.0, 4.0)
OPTICS = Objective(na=0.6, wavelength_um=0.5, pixel_size_um=0.29)
OPTIONS = {"imaging": "microscopy", "optics": OPTICS, "value_range": (0, 1000)}


def observed(light, radius, seed):
    """Return a specimen in focus, and as it is counted out of focus."""
    blur = DefocusBlur(torch.full((SIDE, SIDE), radius), OPTICS, radius)
    padded = blur.pad(torch.from_numpy(light)[None, None])
    sharp, blurred = (
        blur.cut(each)[0, 0].clamp(min=0).numpy()
        for each in (blur.focus(padded), blur.blur(padded))
    )
    return sharp, np.random.default_rng(seed).poisson(blurred).astype(np.uint16)


def specimen(seed):
    rng = np.random.default_rng(seed)
    light = np.full((SIDE, SIDE), 20.0, np.float32)
    for row, column in rng.integers(8, SIDE - 8, (24, 2)):
        light[row - 2 : row + 3, column - 1 : column + 2] += rng.uniform(200, 700)
    return light


@pytest.fixture(scope="module")
def sharp():
    return observed(specimen(3), 0.0, 0)[0]


@pytest.fixture(scope="module")
def stack():
    """Planes (3, Y, X) of one specimen at three distances from focus."""
    return np.stack([observed(specimen(3), radius, seed)[1] for seed, radius in enumerate(RADII)])


@pytest.fixture(scope="module")
def defocus(stack):
    radius = np.broadcast_to(np.float32(RADII)[:, None, None], stack.shape)
    return DefocusMap(radius, np.ones(stack.shape, np.float32))


def error(plane, sharp):
    return float(np.square(plane.astype(float) - sharp).mean())


def test_neighbors_bring_a_plane_nearer_to_the_specimen(stack, defocus, sharp):
    alone = deblur(stack, defocus, **OPTIONS)
    together = deblur(stack, defocus, stack_axis=0, **OPTIONS)
    before, alone, together = (
        [error(plane, sharp) for plane in planes] for planes in (stack, alone, together)
    )
    assert alone[1] < before[1]
    assert together[0] < 1.1 * alone[0]  # the sharpest plane: the others hardly help
    assert together[1] < min(0.8 * alone[1], 0.15 * before[1])
    assert together[2] < min(0.95 * alone[2], 0.16 * before[2])


def test_neighbors_that_show_something_else_do_not_count(stack, defocus):
    others = stack.copy()
    others[[0, 2]] = [observed(specimen(5), 2.0, 1)[1], observed(specimen(6), 4.0, 2)[1]]
    alone = deblur(stack[1], defocus.radius[1], **OPTIONS)
    together = deblur(others, defocus, stack_axis=0, **OPTIONS)[1]
    change = np.abs(alone.astype(float) - stack[1]).mean()
    assert np.abs(together.astype(float) - alone).mean() < 0.2 * change


def test_dask_and_out_give_the_same(stack, defocus):
    expected = deblur(stack, defocus, stack_axis=0, **OPTIONS)
    lazy = deblur(dask.array.from_array(stack, (1, -1, -1)), defocus, stack_axis=-3, **OPTIONS)
    np.testing.assert_array_equal(lazy.compute(), expected)
    out = np.empty_like(stack)
    deblur(stack, defocus, stack_axis=0, out=out, **OPTIONS)
    np.testing.assert_array_equal(out, expected)


def test_channels_and_times_have_neighbors_of_their_own(stack, defocus):
    expected = deblur(stack, defocus, stack_axis=0, **OPTIONS)
    other = stack[:, ::-1, ::-1]
    both = np.stack([stack, other], axis=1)  # (Z, T, Y, X)
    radii = np.stack([defocus.radius, defocus.radius], axis=1)
    result = deblur(both, radii, stack_axis=0, **OPTIONS)
    np.testing.assert_array_equal(result[:, 0], expected)
    turned = deblur(other, defocus, stack_axis=0, **OPTIONS)
    np.testing.assert_array_equal(result[:, 1], turned)
    colors = np.stack([stack, stack // 2, np.zeros_like(stack)], axis=-1)
    options = OPTIONS | {"channel_axis": -1}
    result = deblur(colors, defocus, stack_axis=0, **options)
    assert not result[..., 2].any()
    np.testing.assert_array_equal(result[..., 0], expected)


class CountingEstimator(nn.Module):
    """Tells radii by brightness, and counts its runs."""

    descriptor = Descriptor("single", receptive_radius=8, multiple=8)
    runs = 0

    def forward(self, x):
        type(self).runs += 1
        radius = 3 + 2 * torch.nn.functional.avg_pool2d(x[:, :1], 9, 1, 4)
        return torch.cat([radius, torch.full_like(radius, 0.8)], 1)


def count_runs(work):
    """Return what the work returns, and how often the estimator ran in it."""
    before = CountingEstimator.runs
    result = work()
    return result, CountingEstimator.runs - before


ESTIMATED = OPTIONS | {"map_model": CountingEstimator()}


def restored_one_by_one(stack, **options):
    """Return each plane restored in a stack of its own, of it and its neighbors."""
    parts = [np.s_[max(plane - 1, 0) : plane + 2] for plane in range(len(stack))]
    return np.stack(
        [
            deblur(stack[part], stack_axis=0, **options)[plane - part.start]
            for plane, part in enumerate(parts)
        ]
    )


def test_the_map_of_each_plane_is_estimated_once(stack):
    alone, runs = count_runs(lambda: deblur(stack, **ESTIMATED))
    together, runs_together = count_runs(lambda: deblur(stack, stack_axis=0, **ESTIMATED))
    assert runs_together == runs >= len(stack)
    assert (together != alone).any()
    np.testing.assert_array_equal(together, restored_one_by_one(stack, **ESTIMATED))
    lazy = deblur(dask.array.from_array(stack, (1, -1, -1)), stack_axis=0, **ESTIMATED)
    computed, runs_of_dask = count_runs(lambda: lazy.compute(scheduler="synchronous"))
    assert runs_of_dask == runs
    np.testing.assert_array_equal(computed, together)


def test_maps_are_kept_across_other_axes(stack):
    times = np.stack([stack, stack[:, ::-1]], axis=1)  # (Z, T, Y, X)
    expected = [deblur(times[:, time], stack_axis=0, **ESTIMATED) for time in range(2)]
    result, runs = count_runs(lambda: deblur(times, stack_axis=0, **ESTIMATED))
    assert runs == count_runs(lambda: deblur(times, **ESTIMATED))[1]
    np.testing.assert_array_equal(result, np.stack(expected, axis=1))


def test_planes_with_ranges_of_their_own_are_seen_by_those_of_each(stack):
    ranges = [(0, 1000), (0, 800), (0, 600)]
    options = ESTIMATED | {"value_range": ranges}
    result = deblur(stack, stack_axis=0, **options)
    for plane, pair in enumerate(ranges):
        same = deblur(stack, stack_axis=0, **(ESTIMATED | {"value_range": pair}))
        np.testing.assert_array_equal(result[plane], same[plane])


def test_neighbors_of_planes_that_stay_are_left_out(stack):
    """Without a map that all tasks share, neighbors of unchanged planes are not estimated."""
    colors = np.stack([stack, stack, stack], axis=-1)
    lazy = dask.array.from_array(colors, (1, -1, -1, -1))
    options = ESTIMATED | {"channel_axis": -1}
    changing = deblur(lazy, stack_axis=0, **options)[0]
    staying = deblur(lazy, stack_axis=0, protect_radius=20, **options)[0]
    runs = [
        count_runs(lambda: each.compute(scheduler="synchronous"))[1]  # noqa: B023 - runs at once
        for each in (changing, staying)
    ]
    assert runs[0] == 2 * runs[1] > 0


class CountedReads:
    """An array that counts how often each plane is read."""

    def __init__(self, values):
        self.values, self.shape, self.dtype, self.ndim = values, values.shape, values.dtype, 3
        self.reads = np.zeros(len(values), int)

    def __getitem__(self, place):
        self.reads[place[0]] += 1
        return self.values[place]


@pytest.mark.parametrize("tile", ["auto", 8])
def test_planes_are_read_as_often_as_without_neighbors(stack, tile):
    reads = []
    for axis in (None, 0):
        source = CountedReads(stack)
        out = np.empty_like(stack)
        deblur(source, stack_axis=axis, out=out, **(ESTIMATED | {"tile": tile}))
        reads.append(source.reads)
    np.testing.assert_array_equal(reads[1], reads[0])


def test_dask_planes_are_loaded_once(stack):
    source = CountedReads(stack)
    planes = [
        dask.array.from_delayed(dask.delayed(source.__getitem__)((n,)), (SIDE, SIDE), stack.dtype)
        for n in range(len(stack))
    ]
    options = {name: value for name, value in ESTIMATED.items() if name != "value_range"}
    deblur(dask.array.stack(planes), stack_axis=0, **options).compute(scheduler="synchronous")
    assert source.reads.tolist() == [1, 1, 1]


def test_progress_reaches_the_end_and_the_record_names_the_axis(stack):
    job = DeblurJob(stack, options=Options(**OPTIONS), stack_axis=0)
    steps = []
    expected = job.run(lambda done, total: steps.append((done, total)))
    given = job.with_map(job.estimate.run()).run()
    np.testing.assert_array_equal(given, expected)
    assert steps[-1][0] == steps[-1][1]
    assert provenance(job)["parameters"]["stack_axis"] == 0


def test_a_stack_of_one_plane_is_restored_as_alone(stack, defocus):
    alone = deblur(stack[1], defocus.radius[1], **OPTIONS)
    np.testing.assert_array_equal(
        deblur(stack[1:2], defocus.radius[1:2], stack_axis=0, **OPTIONS)[0], alone
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"stack_axis": 1}, "stack_axis is 1; the axes of planes in an array of shape"),
        ({"stack_axis": "Z"}, "stack_axis is 'Z'; the axes of planes"),
        ({"imaging": "photograph"}, "the image is a photograph; neighboring planes help"),
    ],
)
def test_mistakes_are_told(stack, change, message):
    with pytest.raises(OptionError, match=message):
        deblur(stack, 3.0 * np.ones(stack.shape), **(OPTIONS | {"stack_axis": 0} | change))
