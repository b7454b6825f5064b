"""Spread of a deblurred picture between runs."""

import dask.array
import numpy as np
import pytest

from napari_defocus import DeblurJob, DefocusMap, OptionError, Options, check, deblur
from napari_defocus.spread import Variant, measure_spread

from .evidence.scenes import photograph_of, sharp_picture

RADIUS = np.full((64, 64), 3.0, np.float32)


@pytest.fixture(scope="module")
def image():
    return (photograph_of(sharp_picture())[:64, :64].clip(0, 1) * 255).round().astype(np.uint8)


@pytest.mark.parametrize(
    ("shape", "axis"),
    [((32, 40), "none"), ((2, 32, 40), "none"), ((32, 40, 4), -1), ((3, 32, 40), 0)],
)
def test_runs_are_turned_back(shape, axis):
    image = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    radius = np.arange(32 * 40, dtype=np.float32).reshape(32, 40) / 100
    job = DeblurJob(image, radius, options=Options(channel_axis=axis))
    numbers = [Variant(job.layout, number) for number in range(5)]
    jobs = [variant.of(job) for variant in numbers]
    turned = [variant.undo(other.image) for variant, other in zip(numbers, jobs, strict=True)]
    noise = [part.astype(int) - image for part in turned]
    assert all(part.shape == shape and part.dtype == np.uint8 for part in turned)
    assert all(0 < np.abs(part).mean() < 80 for part in noise)
    assert len({part.tobytes() for part in noise}) == 5
    assert len({other.image.shape for other in jobs}) > 1
    if shape[-1] == 4:
        assert not any(part[..., 3].any() for part in noise)  # alpha


def test_the_map_is_turned_with_the_image(image):
    radius = np.arange(64 * 64, dtype=np.float32).reshape(64, 64)
    for defocus in (radius, DefocusMap(radius, np.ones_like(radius))):
        variant = Variant(DeblurJob(image, defocus).layout, 2)
        turned = variant.of(DeblurJob(image, defocus)).defocus
        turned = turned.radius if isinstance(turned, DefocusMap) else turned
        np.testing.assert_array_equal(variant.undo(turned), radius)


def test_the_spread_is_part_of_the_check(image):
    sharp, result = deblur(image, RADIUS, check=True, spread=2)
    assert result.spread.shape == image.shape
    assert result.spread.dtype == np.float32
    assert 0 < np.median(result.spread) < 20
    assert result.with_false_alarms(0.1).spread is result.spread
    assert result.summary()["median_spread"] == np.median(result.spread)
    np.testing.assert_array_equal(sharp, deblur(image, RADIUS))
    assert check(image, sharp, RADIUS).spread is None


def test_noise_makes_the_spread_larger(image):
    noisy = image + np.random.default_rng(0).normal(0, 12, image.shape)
    noisy = noisy.clip(0, 255).astype(np.uint8)
    spreads = []
    for picture in (image, noisy):
        job = DeblurJob(picture, RADIUS)
        spreads.append(np.median(measure_spread(job, job.run(), 2)))
    assert spreads[1] > 1.5 * spreads[0]


def test_what_is_left_alone_spreads_as_noise_does(image):
    job = DeblurJob(image, np.zeros_like(RADIUS))
    spread = measure_spread(job, job.run(), 3)
    assert np.median(spread) < 3  # in focus nothing is made up


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"spread": 2}, "spread is 2 and check is off"),
        ({"spread": -1, "check": True}, "spread is -1; a whole number of runs from 0 to 64"),
        ({"spread": 1.5, "check": True}, "spread is 1.5; a whole number"),
        ({"spread": True, "check": True}, "spread is True; a whole number"),
    ],
)
def test_mistakes_are_named(image, changes, words):
    with pytest.raises(OptionError, match=words):
        deblur(image, RADIUS, **changes)


def test_a_lazy_image_is_refused(image):
    lazy = dask.array.from_array(image)
    with pytest.raises(OptionError, match="spread needs an image in memory"):
        deblur(lazy, RADIUS, check=True, spread=1)
