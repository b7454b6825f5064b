"""Public functions: form and values of results, progress, and refused input."""

import copy
from importlib.resources import files
from pathlib import Path
from typing import ClassVar

import dask
import dask.array
import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from napari_defocus import (
    Canceled,
    DeblurJob,
    DeblurSettings,
    DefocusError,
    DefocusMap,
    DeviceError,
    EstimateJob,
    ImageError,
    MapError,
    ModelError,
    OptionError,
    Options,
    RefocusJob,
    Views,
    deblur,
    estimate_defocus,
    reblur,
    refocus,
)
from napari_defocus.inference.engine import Progress
from napari_defocus.io import read_picture
from napari_defocus.models import find_model, list_models, load_network
from napari_defocus.networks import build
from napari_defocus.networks.descriptor import Descriptor

from .model_files import save_untrained


def network(architecture, **arguments):
    """Return a small network with random weights."""
    torch.manual_seed(0)
    module = build(architecture, arguments)
    for weights in module.parameters():
        if not weights.any():
            nn.init.normal_(weights, std=0.05)
    return module


@pytest.fixture(scope="module")
def single():
    return network("single-estimator", widths=(8, 8, 8), blocks=(1, 1, 1, 1))


@pytest.fixture(scope="module")
def dual():
    return network("dual-estimator", widths=(8, 8, 8), blocks=(1, 1, 1, 1))


@pytest.fixture(scope="module")
def generator():
    return network("generator", width=8, blocks=(1, 1, 1, 1, 1), radii=(2.0, 6.0))


def picture(shape=(48, 40), dtype=np.uint8, seed=0):
    """Return a smooth random image."""
    values = np.random.default_rng(seed).random(shape)
    for axis in (-2, -1):
        values = (values + np.roll(values, 1, axis)) / 2
    dtype = np.dtype(dtype)
    return (
        values.astype(dtype) if dtype.kind == "f" else (values * np.iinfo(dtype).max).astype(dtype)
    )


def radii(shape=(48, 40), most=12.0):
    return np.linspace(0, most, shape[-1], dtype=np.float32) * np.ones(shape, np.float32)


KINDS = [
    ((48, 40), None, np.uint8),
    ((48, 40), None, np.uint16),
    ((48, 40), None, np.float32),
    ((48, 40), None, np.float64),
    ((48, 40, 3), -1, np.uint8),
    ((48, 40, 3), -1, np.float32),
    ((48, 40, 4), -1, np.uint16),
    ((3, 48, 40), 0, np.uint8),
    ((2, 48, 40), None, np.uint16),
    ((2, 3, 24, 20), None, np.float32),
    ((2, 24, 20, 3), -1, np.uint8),
    ((2, 3, 24, 20), 1, np.float64),
    ((17, 5), None, np.uint8),
    ((5, 131), None, np.float32),
]


@pytest.mark.parametrize(("shape", "axis", "dtype"), KINDS)
def test_results_have_the_form_of_their_image(shape, axis, dtype, single, generator):
    image = picture(shape, dtype)
    planes = tuple(n for i, n in enumerate(shape) if axis is None or i != axis % len(shape))
    defocus = estimate_defocus(image, model=single, channel_axis=axis)
    assert not defocus.signed
    for part in defocus:
        assert part.shape == planes
        assert part.dtype == np.float32
    assert defocus.radius.min() >= 0
    assert 0 <= defocus.confidence.min() <= defocus.confidence.max() <= 1
    before = image.copy()
    sharp = deblur(image, radii(planes), model=generator, channel_axis=axis)
    assert sharp.shape == image.shape
    assert sharp.dtype == image.dtype
    assert (sharp != image).any()
    again = reblur(sharp, radii(planes), channel_axis=axis)
    assert again.shape == image.shape
    assert again.dtype == image.dtype
    np.testing.assert_array_equal(image, before)


def test_planes_are_handled_one_by_one(single, generator):
    image = picture((3, 24, 20), np.uint16)
    options = {"value_range": (0, 60000)}
    stack = estimate_defocus(image, model=single, **options)
    sharp = deblur(image, stack, model=generator, **options)
    for i, plane in enumerate(image):
        alone = estimate_defocus(plane, model=single, **options)
        np.testing.assert_array_equal(stack.radius[i], alone.radius)
        np.testing.assert_array_equal(sharp[i], deblur(plane, alone, model=generator, **options))


@pytest.mark.parametrize("lazy", [False, True])
def test_planes_may_have_ranges_of_their_own(single, generator, lazy):
    image = picture((2, 2, 24, 20), np.uint16) // np.array([1, 16], np.uint16)[:, None, None]
    ranges = np.array([[[0, 60000]], [[0, 4000]]])  # of the first axis
    source = dask.array.from_array(image) if lazy else image
    defocus = estimate_defocus(source, model=single, value_range=ranges)
    sharp = deblur(source, defocus, model=generator, value_range=ranges)
    radius, sharp = dask.compute(defocus.radius, sharp)
    for index in np.ndindex(2, 2):
        black_white = tuple(ranges[index[0], 0])
        alone = estimate_defocus(image[index], model=single, value_range=black_white)
        np.testing.assert_array_equal(radius[index], alone.radius)
        np.testing.assert_array_equal(
            sharp[index],
            deblur(image[index], alone, model=generator, value_range=black_white),
        )


def test_a_gray_image_equals_a_color_image_of_equal_channels(single, generator):
    gray = picture()
    color = np.repeat(gray[..., None], 3, -1)
    defocus = estimate_defocus(gray, model=single)
    np.testing.assert_array_equal(
        defocus.radius, estimate_defocus(color, model=single, channel_axis=-1).radius
    )
    sharp = deblur(color, defocus, model=generator, channel_axis=-1).astype(float)
    np.testing.assert_allclose(deblur(gray, defocus, model=generator), sharp.mean(-1), atol=1)


def test_two_views_give_a_signed_map(dual):
    left = picture((48, 40, 3))
    defocus = estimate_defocus(left, right=np.roll(left, 3, 1), model=dual, channel_axis=-1)
    assert defocus.signed
    assert defocus.radius.shape == (48, 40)
    assert defocus.radius.min() < 0 < defocus.radius.max()


def test_radii_of_two_views_are_scaled_to_those_of_one_image():
    left, right = (
        read_picture(Path(str(files("napari_defocus") / "samples" / f"stairwell-{side}.png"))).data
        for side in ("left", "right")
    )
    card = find_model("auto", "dual")
    scaled = estimate_defocus(left, right=right, channel_axis=-1)
    unscaled = estimate_defocus(left, right=right, channel_axis=-1, model=load_network(card))
    blurred = np.abs(unscaled.radius) > 1
    factors = scaled.radius[blurred] / unscaled.radius[blurred]
    assert np.ptp(factors) < 1e-4
    single = estimate_defocus(left, channel_axis=-1)
    sure = (np.abs(scaled.radius) > 1.5) & (np.minimum(scaled.confidence, single.confidence) > 0.4)
    ratio = np.median(single.radius[sure] / np.abs(scaled.radius[sure]))
    assert ratio == pytest.approx(1, abs=0.15)
    assert abs(np.log(factors.mean())) > 0.05


def test_sign_of_a_map_does_not_matter_for_deblurring(generator):
    image = picture()
    sharp = deblur(image, radii(), model=generator)
    np.testing.assert_array_equal(deblur(image, -radii(), model=generator), sharp)
    signed = DefocusMap(-radii(), np.ones((48, 40)), signed=True)
    np.testing.assert_array_equal(deblur(image, signed, model=generator), sharp)


def test_one_map_serves_all_planes(generator):
    image = picture((2, 3, 24, 20))
    one = radii((24, 20))
    sharp = deblur(image, one, model=generator)
    np.testing.assert_array_equal(
        sharp, deblur(image, np.broadcast_to(one, image.shape), model=generator)
    )
    np.testing.assert_array_equal(
        sharp, deblur(image, np.broadcast_to(one, (3, 24, 20)), model=generator)
    )


def test_confidence_is_taken_from_the_map(generator):
    image = picture()
    sure = deblur(image, DefocusMap(radii(), np.ones((48, 40))), model=generator)
    unsure = deblur(image, DefocusMap(radii(), np.zeros((48, 40))), model=generator)
    assert (sure != unsure).any()
    np.testing.assert_array_equal(sure, deblur(image, radii(), model=generator))


def test_integers_may_be_painted(generator):
    painted = np.zeros((48, 40), np.uint8)
    painted[10:30] = 6
    image = picture()
    sharp = deblur(image, painted, model=generator)
    np.testing.assert_array_equal(sharp, deblur(image, painted.astype(float), model=generator))
    np.testing.assert_array_equal(sharp[:10], image[:10])


# Strength and protection


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, np.float64])
def test_strength_zero_returns_the_input_bit_for_bit(dtype, generator):
    image = picture(dtype=dtype)
    same = deblur(image, radii(), strength=0, model=generator)
    assert same is not image
    assert same.tobytes() == image.tobytes()


def test_strength_scales_the_change(generator):
    image = picture(dtype=np.float64)
    options = {"model": generator, "encoding": "srgb", "value_range": (0, 1)}
    full = deblur(image, radii(), **options) - image
    free = image + 2 * full > 0  # all else is held at black
    for strength in (0.25, 0.5, 2.0):
        change = deblur(image, radii(), strength=strength, **options) - image
        np.testing.assert_allclose(change[free], strength * full[free], atol=1e-7)


def test_sharp_pixels_are_protected_bit_for_bit(generator):
    image = picture(dtype=np.float32)
    sharp = deblur(image, radii(), protect_radius=3.0, model=generator)
    changed = (sharp != image).any(axis=0)
    assert not changed[radii()[0] <= 3].any()
    free = deblur(image, radii(), protect_radius=0, model=generator)
    full = radii()[0] >= 6
    np.testing.assert_allclose(sharp[:, full], free[:, full], rtol=1e-5)
    ramp = (radii()[0] > 3) & (radii()[0] < 6)
    assert (np.abs(sharp - image)[:, ramp] <= np.abs(free - image)[:, ramp] + 1e-6).all()


def test_doubling_the_input_doubles_the_output(generator):
    image = picture(dtype=np.float64) * 300 + 7
    np.testing.assert_allclose(
        deblur(2 * image, radii(), model=generator),
        2 * deblur(image, radii(), model=generator),
        rtol=1e-6,
    )


# Values that are not finite, and alpha


def test_values_that_are_not_finite_stay_and_do_not_spread(single, generator):
    image = picture(dtype=np.float32)
    image[10:14, 20:25] = np.nan
    image[30, 30] = np.inf
    lost = ~np.isfinite(image)
    defocus = estimate_defocus(image, model=single)
    assert np.isfinite(defocus.radius).all()
    assert (defocus.confidence[lost] == 0).all()
    assert (defocus.confidence[~lost] > 0).all()
    for result in (deblur(image, radii(), model=generator), reblur(image, radii())):
        np.testing.assert_array_equal(np.isfinite(result), ~lost)
        np.testing.assert_array_equal(result[lost], image[lost])


def test_empty_frame_of_a_series_stays_empty(single, generator):
    image = picture((2, 24, 20), np.float32)
    image[1] = np.nan
    defocus = estimate_defocus(image, model=single)
    assert (defocus.confidence[1] == 0).all()
    sharp = deblur(image, defocus, model=generator, protect_radius=0)
    assert np.isnan(sharp[1]).all()
    assert (sharp[0] != image[0]).any()
    assert np.isnan(reblur(image, defocus)[1]).all()


def test_alpha_is_carried_through(generator):
    image = picture((48, 40, 4))
    sharp = deblur(image, radii(), model=generator, channel_axis=-1)
    np.testing.assert_array_equal(sharp[..., 3], image[..., 3])
    np.testing.assert_array_equal(
        sharp[..., :3], deblur(image[..., :3], radii(), model=generator, channel_axis=-1)
    )


# Reblurring and refocusing


def test_reblurring_spreads_a_point_over_a_disk():
    spot = np.zeros((41, 41), np.float32)
    spot[20, 20] = 1
    disk = reblur(spot, np.full((41, 41), 5.0), value_range=(0, 1))
    assert disk.sum() == pytest.approx(1, rel=1e-3)
    y, x = np.mgrid[-20:21, -20:21]
    assert (disk[np.hypot(y, x) > 6.5] < 1e-6).all()
    assert disk[20, 20] == pytest.approx(1 / (np.pi * 25), rel=0.05)


@pytest.mark.parametrize(
    ("signed", "radius", "spills"), [(True, 6, True), (True, -6, False), (False, 6, False)]
)
def test_blur_of_near_surfaces_covers_far_ones(signed, radius, spills):
    sharp = np.zeros((48, 64), np.float32)
    sharp[:, 32:] = 1
    radii = np.where(sharp > 0, np.float32(radius), 0)
    defocus = DefocusMap(radii, np.ones_like(radii), signed=signed)
    blurred = reblur(sharp, defocus, value_range=(0, 1))
    assert bool(blurred[8:-8, 28:31].mean() > 0.05) is spills
    if not signed:
        np.testing.assert_array_equal(blurred, reblur(sharp, radii, value_range=(0, 1)))


def test_reblurring_without_blur_changes_nothing():
    image = picture((48, 40, 3))
    np.testing.assert_array_equal(reblur(image, np.zeros((48, 40)), channel_axis=-1), image)


def test_refocusing_makes_another_radius_sharp():
    image = picture((48, 40))
    near = refocus(image, radii(), focus=6.0, aperture=1.0)
    columns = np.abs(near.astype(int) - image).mean(axis=0)
    assert columns[20] < columns[2]
    assert columns[20] < columns[38]
    np.testing.assert_array_equal(refocus(image, radii(), focus=3.0, aperture=0), image)


def test_several_focuses_make_a_focal_stack(tmp_path):
    zarr = pytest.importorskip("zarr")
    image, focuses = picture((48, 40, 3)), [0.0, 2.5, 6.0]
    options = {"aperture": 0.8, "channel_axis": -1}
    expected = [refocus(image, radii(), focus=focus, **options) for focus in focuses]
    stack = refocus(image, radii(), focus=focuses, **options)
    np.testing.assert_array_equal(stack, expected)
    lazy = refocus(dask.array.from_array(image), radii(), focus=tuple(focuses), **options)
    np.testing.assert_array_equal(lazy.compute(), expected)
    array = zarr.create_array(tmp_path / "stack.zarr", shape=stack.shape, dtype=stack.dtype)
    assert refocus(image, radii(), focus=focuses, out=array, **options) is array
    np.testing.assert_array_equal(array[:], expected)
    steps = []
    refocus(image, radii(), focus=focuses, progress=lambda *step: steps.append(step), **options)
    assert [done for done, _ in steps] == sorted(done for done, _ in steps)
    assert steps[-1][0] == steps[-1][1]
    with pytest.raises(OptionError, match="is expected"):
        refocus(image, radii(), focus=focuses, out=np.zeros_like(image), **options)
    with pytest.raises(OptionError, match="shares memory"):
        refocus(stack[0], radii(), focus=focuses, out=stack, **options)


def test_reblurring_is_refocusing_on_the_same_plane():
    image = picture((48, 40))
    np.testing.assert_array_equal(
        reblur(image, radii()), refocus(image, radii(), focus=0, aperture=1)
    )


# Tiles


@pytest.mark.parametrize("tile", [64, 100, None])
def test_tiled_results_equal_the_whole(tile, single, generator):
    image = picture((200, 230), np.float32)
    options = {"encoding": "srgb", "value_range": (0, 1), "downscale": 1}
    defocus = estimate_defocus(image, model=single, **options)
    tiled = estimate_defocus(image, model=single, tile=tile, **options)
    np.testing.assert_allclose(tiled.radius, defocus.radius, atol=1e-4)
    np.testing.assert_allclose(tiled.confidence, defocus.confidence, atol=1e-4)
    np.testing.assert_allclose(
        deblur(image, defocus, model=generator, tile=tile, **options),
        deblur(image, defocus, model=generator, **options),
        atol=1e-4,
    )
    np.testing.assert_allclose(
        reblur(image, radii(image.shape), tile=tile, **options),
        reblur(image, radii(image.shape), **options),
        atol=1e-4,
    )


@pytest.mark.parametrize(
    ("sample", "top", "left"),
    [
        ("stairwell-left.png", 100, 300),
        pytest.param("stairwell-left.png", 0, 0, marks=pytest.mark.slow),
        pytest.param("canyon-wren.jpg", 0, 0, marks=pytest.mark.slow),
    ],
)
@pytest.mark.parametrize("card", list_models(), ids=lambda card: card.name)
def test_tiled_results_of_every_shipped_model_equal_the_whole(card, sample, top, left):
    shown = files("napari_defocus") / "samples" / sample
    with shown.open("rb") as file, Image.open(file) as opened:
        image = np.asarray(opened.convert("RGB"), np.float32) / 255
    image = image[top : top + 220, left : left + 200]
    options = {"channel_axis": -1, "downscale": 1, "model": card.name}
    results = []
    for tile in (None, 128):
        if card.task == "deblur":
            made = [deblur(image, radii(image.shape[:2]), tile=tile, **options)]
        else:
            right = np.roll(image, 3, 1) if card.task == "dual" else None
            made = [*estimate_defocus(image, right=right, tile=tile, **options)]
        results.append(made)
    for whole, tiled in zip(*results, strict=True):
        np.testing.assert_allclose(tiled, whole, atol=1e-4 * max(1, np.abs(whole).max()))


# Progress, canceling, generators


def test_progress_rises_to_its_total(single, generator):
    for work in (
        lambda **options: estimate_defocus(picture((2, 140, 150)), model=single, **options),
        lambda **options: deblur(
            picture((140, 150)), radii((140, 150)), model=generator, **options
        ),
        lambda **options: reblur(picture((140, 150)), radii((140, 150)), **options),
    ):
        calls = []
        work(progress=lambda done, total, calls=calls: calls.append((done, total)), tile=64)
        done, totals = zip(*calls, strict=True)
        assert len(calls) > 3
        assert list(done) == sorted(done)
        assert done[0] < done[-1] == totals[-1]


@pytest.mark.parametrize("downscale", ["auto", 2])
def test_progress_of_two_views_reaches_its_total_only_at_the_end(downscale):
    left, calls = picture((130, 150)), []
    estimate_defocus(
        left,
        right=np.roll(left, 3, 1),
        downscale=downscale,
        progress=lambda done, total: calls.append((done, total)),
    )
    *before, (done, total) = calls
    assert done == total
    assert all(done < total for done, total in before[:-1])


def test_a_network_of_the_user_may_change_between_steps(generator):
    image, mine = picture((140, 150)), copy.deepcopy(generator)
    mine = mine.eval().requires_grad_(False).to(memory_format=torch.channels_last)
    unchanged = deblur(image, radii((140, 150)), model=mine, tile=64)
    steps = DeblurJob(
        image, radii((140, 150)), DeblurSettings(model=mine), options=Options(tile=64)
    ).steps()
    next(steps)
    for weight in mine.parameters():
        weight.zero_()
    try:
        while True:
            next(steps)
    except StopIteration as stop:
        np.testing.assert_array_equal(stop.value, unchanged)


def test_steps_give_the_same_result(single, generator):
    image = picture()

    def drained(steps):
        while True:
            try:
                assert isinstance(next(steps), Progress)
            except StopIteration as stop:
                return stop.value

    defocus = drained(EstimateJob(Views(image), single).steps())
    np.testing.assert_array_equal(defocus.radius, estimate_defocus(image, model=single).radius)
    sharp = drained(DeblurJob(image, defocus, DeblurSettings(model=generator)).steps())
    np.testing.assert_array_equal(sharp, deblur(image, defocus, model=generator))
    np.testing.assert_array_equal(
        drained(RefocusJob(sharp, defocus).steps()), reblur(sharp, defocus)
    )


def test_a_progress_callback_may_cancel(generator):
    calls = []

    def cancel(done, total):
        calls.append(done)
        raise Canceled

    with pytest.raises(Canceled):
        deblur(picture((150, 150)), radii((150, 150)), model=generator, tile=64, progress=cancel)
    assert len(calls) == 1


def test_errors_of_a_progress_callback_pass_through(generator):
    def fail(done, total):
        raise RuntimeError("not torch's")

    with pytest.raises(RuntimeError, match="not torch's"):
        deblur(picture(), radii(), model=generator, progress=fail)


class Failing(nn.Module):
    descriptor = Descriptor("single", receptive_radius=1, multiple=8)

    def __init__(self, error):
        super().__init__()
        self.error = error

    def forward(self, x):
        raise self.error


@pytest.mark.parametrize("lazy", [False, True])
@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (RuntimeError("mat1 and mat2"), DefocusError),
        (NotImplementedError("no such kernel"), DefocusError),
        (torch.OutOfMemoryError("CUDA out of memory"), DeviceError),
        (MemoryError(), DeviceError),
    ],
)
def test_errors_of_torch_are_translated(error, kind, lazy):
    image = picture()
    if lazy:
        image = dask.array.from_array(image)
    with pytest.raises(kind) as caught:
        np.asarray(estimate_defocus(image, model=Failing(error)).radius)
    assert not isinstance(caught.value, RuntimeError)
    if not lazy:
        with pytest.raises(kind):
            next(EstimateJob(Views(image), Failing(error)).steps())


def test_errors_of_torch_between_tiles_are_translated(monkeypatch, single):
    def fail(*_, **__):
        raise RuntimeError("interpolate failed")

    monkeypatch.setattr(nn.functional, "interpolate", fail)
    with pytest.raises(DefocusError, match="interpolate failed"):
        list(EstimateJob(Views(picture()), single, Options(downscale=2)).steps())


# Lazy arrays


@pytest.mark.parametrize(("shape", "axis", "dtype"), KINDS)
def test_dask_gives_what_numpy_gives(shape, axis, dtype, single, generator):
    image = picture(shape, dtype)
    lazy = dask.array.from_array(image, chunks=tuple(max(1, n // 2) for n in shape))
    expected = estimate_defocus(image, model=single, channel_axis=axis)
    defocus = estimate_defocus(lazy, model=single, channel_axis=axis)
    assert all(isinstance(part, dask.array.Array) for part in defocus)
    assert defocus.radius.dtype == np.float32
    sharp = deblur(lazy, defocus, model=generator, channel_axis=axis)
    again = reblur(lazy, defocus, channel_axis=axis)
    assert isinstance(sharp, dask.array.Array)
    assert (sharp.shape, sharp.dtype) == (image.shape, image.dtype)
    radius, sharp, again = dask.compute(defocus.radius, sharp, again)
    np.testing.assert_array_equal(radius, expected.radius)
    np.testing.assert_array_equal(
        sharp, deblur(image, expected, model=generator, channel_axis=axis)
    )
    np.testing.assert_array_equal(again, reblur(image, expected, channel_axis=axis))


def test_lazy_results_load_only_the_plane_that_is_computed(single, generator):
    asked = []

    def load(block_id):
        asked.append(block_id)
        return picture((1, 24, 20), np.uint16, seed=block_id[0])

    image = dask.array.map_blocks(
        load, chunks=((1, 1, 1), (24,), (20,)), meta=np.empty((0, 0, 0), np.uint16)
    )
    defocus = estimate_defocus(image, model=single, value_range=(0, 65535))
    sharp = deblur(image, defocus, model=generator, value_range=(0, 65535))
    assert not asked
    sharp[1].compute()
    assert asked == [(1, 0, 0)]


class Counting(nn.Module):
    descriptor = Descriptor("single", receptive_radius=1, multiple=8)
    calls: ClassVar[list[int]] = []

    def forward(self, x):
        self.calls.append(1)
        return torch.ones_like(x[:, :2])


def test_map_and_confidence_come_from_one_graph():
    image = dask.array.from_array(picture((3, 24, 20)))
    defocus = estimate_defocus(image, model=Counting(), tile=None)
    Counting.calls.clear()
    dask.compute(*defocus)
    assert len(Counting.calls) == 3


def test_an_array_may_be_deblurred_by_a_lazy_map(single, generator):
    image = picture()
    lazy = estimate_defocus(dask.array.from_array(image), model=single)
    sharp = deblur(image, lazy, model=generator)
    assert isinstance(sharp, np.ndarray)
    np.testing.assert_array_equal(
        sharp, deblur(image, estimate_defocus(image, model=single), model=generator)
    )


def test_a_lazy_image_may_be_deblurred_by_an_array(generator):
    image = picture((2, 24, 20))
    sharp = deblur(dask.array.from_array(image), radii((24, 20)), model=generator)
    np.testing.assert_array_equal(sharp.compute(), deblur(image, radii((24, 20)), model=generator))


def test_impossible_values_of_lazy_arrays_are_refused_when_computed(single, generator):
    empty = dask.array.full((2, 24, 20), np.nan)
    with pytest.raises(ImageError, match="no finite value"):
        estimate_defocus(empty, model=single).radius.compute()
    negative = DefocusMap(dask.array.full((24, 20), -1.0), dask.array.ones((24, 20)))
    with pytest.raises(MapError, match="unsigned"):
        deblur(dask.array.ones((24, 20)), negative, model=generator).compute()


# Models


def test_shipped_models_are_used_by_default():
    image = picture((48, 40, 3))
    defocus = estimate_defocus(image, channel_axis=-1)
    assert defocus.model == find_model("auto", "single").name
    assert (
        estimate_defocus(image, right=image, channel_axis=-1).model
        == find_model("auto", "dual").name
    )
    np.testing.assert_array_equal(
        deblur(image, channel_axis=-1), deblur(image, defocus, channel_axis=-1)
    )


def test_model_may_be_a_file(tmp_path, single):
    arguments = {"widths": (8, 8, 8), "blocks": (1, 1, 1, 1)}
    save_untrained(tmp_path, "own", "single-estimator", arguments, single)
    image = picture()
    defocus = estimate_defocus(image, model=tmp_path / "own.safetensors")
    assert defocus.model == "own"
    np.testing.assert_allclose(
        defocus.radius, estimate_defocus(image, model=single).radius, atol=0.05
    )


# Refused input

GOOD = picture()
BAD_IMAGES = [
    ("cells.tif", None, "str"),
    (None, None, "NoneType"),
    (np.zeros((0, 0)), None, "empty"),
    (np.zeros((1, 1)), None, "at least"),
    (np.zeros((48, 40, 2), np.uint8), -1, "2 channels"),
    (np.zeros((48, 40, 3), np.uint8), None, "channel_axis=-1"),
    (np.zeros((48, 40, 3), np.uint8), 7, "channel_axis is 7"),
    (np.zeros((48, 40), complex), None, "complex"),
    (np.zeros((48, 40), object), None, "object"),
    (np.zeros((48, 40), bool), None, "bool"),
    (np.full((48, 40), np.nan), None, "no finite value"),
]


@pytest.mark.parametrize(("image", "axis", "words"), BAD_IMAGES)
def test_bad_images_are_refused(image, axis, words, single, generator):
    for work in (
        lambda: estimate_defocus(image, model=single, channel_axis=axis),
        lambda: deblur(image, radii(), model=generator, channel_axis=axis),
        lambda: reblur(image, radii(), channel_axis=axis),
    ):
        with pytest.raises(ImageError, match=words):
            work()


@pytest.mark.parametrize(
    "right", [picture((48, 41)), picture((2, 48, 40)), picture(dtype=np.uint16)]
)
def test_unequal_views_are_refused(right, dual):
    with pytest.raises(ImageError, match="the views differ"):
        estimate_defocus(GOOD, right=right, model=dual)


BAD_MAPS = [
    ("map.tif", "str"),
    ((radii(), radii()), "tuple"),
    (radii((48, 41)), r"\(48, 41\)"),
    (radii((2, 48, 40)), r"\(2, 48, 40\)"),
    (radii((1,)), r"\(1,\)"),
    (DefocusMap(-radii(), np.ones((48, 40))), "says it is unsigned, but holds a radius of -12"),
    (DefocusMap(radii(), 2 * np.ones((48, 40))), "from 2 to 2"),
    (DefocusMap(radii(), np.full((48, 40), np.nan)), "nan"),
    (np.full((48, 40), np.nan), "1920 radii"),
    (np.full((48, 40), np.inf), "1920 radii"),
    (np.zeros((48, 40), complex), "complex"),
    (np.zeros((48, 40), bool), "bool"),
    (np.zeros((48, 40), object), "object"),
]


@pytest.mark.parametrize(("defocus", "words"), BAD_MAPS)
def test_bad_maps_are_refused(defocus, words, generator):
    with pytest.raises(MapError, match=words):
        deblur(GOOD, defocus, model=generator)
    with pytest.raises(MapError, match=words):
        reblur(GOOD, defocus)


def test_map_of_two_shapes_is_refused():
    with pytest.raises(MapError, match=r"\(8, 8\).*\(8, 9\)"):
        DefocusMap(np.zeros((8, 8)), np.zeros((8, 9)))


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("strength", -0.1),
        ("strength", 2.1),
        ("strength", "strong"),
        ("strength", np.nan),
        ("protect_radius", -1),
        ("protect_radius", np.inf),
        ("protect_radius", None),
        ("detail", "natural"),
        ("detail", "lots"),
        ("downscale", 0),
        ("downscale", "half"),
        ("tile", 0),
        ("tile", "small"),
        ("device", "gpu"),
        ("precision", "float16"),
        ("encoding", "gamma"),
        ("value_range", (1, 0)),
        ("value_range", 255),
        ("progress", "bar"),
    ],
)
def test_bad_options_are_refused(option, value, generator):
    with pytest.raises(OptionError, match=f"{option} is"):
        deblur(GOOD, radii(), model=generator, **{option: value})


@pytest.mark.parametrize(
    ("focus", "aperture"),
    [(np.nan, 1), (0, -1), (0, np.inf), ("near", 1), ([0, np.nan], 1), ([], 1)],
)
def test_impossible_optics_are_refused(focus, aperture):
    with pytest.raises(OptionError, match="finite number"):
        refocus(GOOD, radii(), focus=focus, aperture=aperture)


def test_unknown_models_are_refused(single, generator):
    with pytest.raises(ModelError, match="no model 'sharpest'"):
        deblur(GOOD, radii(), model="sharpest")
    with pytest.raises(ModelError, match="made for the task 'single'"):
        deblur(GOOD, radii(), model="single")
    with pytest.raises(ModelError, match="task 'deblur'"):
        deblur(GOOD, radii(), model=single)
    with pytest.raises(ModelError, match="int"):
        estimate_defocus(GOOD, model=3)


def test_missing_device_is_refused(generator):
    with pytest.raises(DeviceError, match="there is no device 'cuda:99'"):
        deblur(GOOD, radii(), model=generator, device="cuda:99")


@pytest.mark.parametrize(
    ("axis", "dtype"),
    [(None, np.uint16), pytest.param(0, np.uint8, marks=pytest.mark.slow), (-1, np.float32)],
)
def test_large_planes_written_block_by_block_equal_the_whole(axis, dtype, single, generator):
    shape = {None: (150, 140), 0: (3, 150, 140), -1: (150, 140, 3)}[axis]
    image = picture(shape, dtype)
    if dtype == np.float32:
        image[10:20, 30:50] = np.nan
    options = {"channel_axis": axis, "tile": 32, "device": "cpu"}
    whole = estimate_defocus(image, model=single, **options)
    sharp = deblur(image, whole, model=generator, **options)

    lazy = dask.array.from_array(image, chunks=100)  # above 128 x 128: blocks of 4 x 4 tiles
    parts = np.empty_like(whole.radius), np.empty_like(whole.radius)
    result = estimate_defocus(lazy, model=single, out=parts, **options)
    assert result.radius is parts[0]
    np.testing.assert_allclose(result.radius, whole.radius, atol=1e-3)
    np.testing.assert_allclose(result.confidence, whole.confidence, atol=1e-4)
    out = np.empty_like(image)
    lazy_map = DefocusMap(*(dask.array.from_array(part, chunks=90) for part in whole))
    assert deblur(lazy, lazy_map, model=generator, out=out, **options) is out
    step = 1e-4 if dtype == np.float32 else 1 + 1e-4 * np.iinfo(dtype).max
    np.testing.assert_allclose(out.astype(float), sharp, atol=step)


def test_an_out_array_of_another_form_is_refused(single, generator):
    image = picture()
    with pytest.raises(OptionError, match=r"out has uint8 \(48, 41\); uint8 \(48, 40\) is"):
        deblur(image, radii(), model=generator, out=np.empty((48, 41), np.uint8))
    with pytest.raises(OptionError, match="out should be two arrays"):
        estimate_defocus(image, model=single, out=1)
    with pytest.raises(OptionError, match="out has float64"):
        estimate_defocus(image, model=single, out=(np.empty((48, 40)), np.empty((48, 40))))
