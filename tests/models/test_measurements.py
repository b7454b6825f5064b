"""The shipped models for microscopy keep what is measured: light, its place, and nothing else."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from napari_defocus import deblur, reblur

OFFSET, PEAK, RADIUS = 100, 300, 3.0


@pytest.fixture(scope="module")
def sharp():
    """Cells with spots, and nothing in the lower third: photons to be expected."""
    rng = np.random.default_rng(3)
    cells = gaussian_filter(rng.standard_normal((144, 128)), 9)
    points = gaussian_filter((rng.random(cells.shape) > 0.99).astype(float), 1)
    light = 0.3 * np.clip(cells / cells.max(), 0, 1) + points / points.max()
    light[96:] = 0
    return (PEAK * light / light.max() + 2).astype(np.float32)


@pytest.fixture(scope="module")
def expected(sharp):
    radius = np.full(sharp.shape, RADIUS, np.float32)
    return reblur(sharp, radius, encoding="linear")


@pytest.fixture
def seen(expected):
    return counted(expected, 0)


@pytest.fixture
def restored(seen):
    return deblur(seen, np.full(seen.shape, RADIUS, np.float32))


def counted(light, seed):
    rng = np.random.default_rng(seed)
    counts = rng.poisson(light) + rng.normal(0, 1.5, light.shape)
    return np.rint(OFFSET + counts).astype(np.uint16)


def distance(image, truth):
    return np.sqrt(np.mean((image.astype(float) - truth) ** 2))


def test_the_true_radius_brings_counts_closer_to_what_is_in_focus(seen, restored, sharp):
    assert distance(restored, OFFSET + sharp) < 0.85 * distance(seen, OFFSET + sharp)


def test_light_is_neither_made_nor_lost(seen, restored):
    light = (seen.astype(float) - OFFSET).sum()
    assert (restored.astype(float) - OFFSET).sum() == pytest.approx(light, rel=0.01)


def test_twice_the_light_gives_twice_the_result(seen):
    image = seen.astype(np.float32)
    assert deblur(2 * image) == pytest.approx(2 * deblur(image), rel=0.01)


def test_an_offset_comes_back(seen):
    moved = deblur(seen + np.uint16(1000)).astype(int)
    assert np.abs(moved - 1000 - deblur(seen)).max() <= 1


def test_nothing_falls_below_the_darkest_value(seen):
    for image in (seen, seen.astype(np.float32) - seen.min()):
        assert deblur(image).min() >= image.min()


def test_nothing_appears_where_there_is_nothing(seen):
    ground = np.s_[112:]
    restored = deblur(seen)[ground].astype(float)
    assert restored.mean() == pytest.approx(seen[ground].mean(), abs=0.005 * np.ptp(seen))
    assert restored.std() <= 1.02 * seen[ground].std()


def test_a_static_scene_does_not_flicker_more_than_its_noise(expected):
    series = np.stack([counted(expected, seed) for seed in range(5)])
    assert deblur(series).std(axis=0).mean() <= series.std(axis=0).mean()
