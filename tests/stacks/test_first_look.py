"""First look at the planes of long stacks, after which only those near focus get a full one."""

import numpy as np
import pytest

from napari_defocus import all_in_focus, focus_profile
from napari_defocus.stacks.first_look import worth_a_full_look

from .scenes import sharp_scene

LINEAR = {"value_range": (0, 1)}
FOCUS, GROWTH, SIDE = 2.3, 2.0, 256
#: Planes of the stack, and of its part that has no first look.
PLANES, SHORT = 16, 8


@pytest.fixture(scope="module")
def stack():
    """A long stack; its first planes by themselves are too few for a first look."""
    sharp, rng = sharp_scene(SIDE), np.random.default_rng(0)
    planes = [blur(sharp, GROWTH * abs(plane - FOCUS)) for plane in range(PLANES)]
    return (np.stack(planes) + 0.01 * rng.standard_normal((PLANES, SIDE, SIDE))).astype("f4")


def blur(image, radius):
    """Return an image blurred by a disk."""
    offset = np.fft.fftfreq(SIDE, 1 / SIDE)
    disk = np.clip(radius + 0.5 - np.hypot(offset[:, None], offset), 0, 1)
    spectrum = np.fft.fft2(image) * np.fft.fft2(disk / disk.sum())
    return np.fft.ifft2(spectrum).real


@pytest.fixture(scope="module")
def short(stack):
    return focus_profile(stack[:SHORT], **LINEAR)


class CountedReads:
    """An array that counts how often each plane is read."""

    def __init__(self, array):
        self.array, self.reads = array, np.zeros(len(array), int)
        self.shape, self.dtype, self.ndim = array.shape, array.dtype, array.ndim

    def __getitem__(self, index):
        values = self.array[index]
        assert values.ndim == 2, "more than one plane at a time"
        self.reads[index[0]] += 1
        return values


def test_planes_near_focus_have_the_same_figures_as_without_a_first_look(stack, short):
    steps = []
    counted = CountedReads(stack)
    profile = focus_profile(
        counted, **LINEAR, progress=lambda done, total: steps.append((done, total))
    )
    assert not short.coarse.any()
    assert not profile.coarse[:5].any()
    assert profile.coarse[SHORT:].all()
    np.testing.assert_array_equal(counted.reads - counted.reads.min(), ~profile.coarse)
    looked = ~profile.coarse[:SHORT]
    for name in ("radius", "share_in_focus", "sharpest", "confidence"):
        whole, part = getattr(profile, name), getattr(short, name)
        np.testing.assert_array_equal(whole[:SHORT][looked], part[looked])
    np.testing.assert_array_equal(profile.variance[:SHORT], short.variance)
    assert profile.best == pytest.approx(short.best, abs=1e-6)
    assert profile.best == pytest.approx(FOCUS, abs=0.3)
    far = profile.radius[profile.coarse]
    truth = GROWTH * (np.flatnonzero(profile.coarse) - FOCUS)
    np.testing.assert_allclose(far[truth < 15], truth[truth < 15], rtol=0.25)
    assert [done for done, _ in steps] == sorted(done for done, _ in steps)
    assert steps[-1][0] == steps[-1][1]


@pytest.mark.slow
def test_merged_pictures_do_not_change(stack):
    whole = all_in_focus(stack, align="none", **LINEAR)
    part = all_in_focus(stack[:SHORT], align="none", **LINEAR)
    assert np.abs(whole.depth - part.depth).mean() < 0.05
    assert np.abs(whole.image - part.image).mean() < 0.002
    assert np.abs(whole.depth - FOCUS).mean() < 0.3


@pytest.mark.slow
def test_damaged_planes_of_a_long_stack_are_not_judged(stack):
    damaged = stack.copy()
    damaged[1], damaged[14] = np.nan, 1.0
    damaged[2, :40, :40] = np.nan
    profile = focus_profile(damaged, **LINEAR)
    assert np.isnan(profile.radius[1])
    assert np.isnan(profile.sharpest[[1, 14]]).all()
    assert profile.best == pytest.approx(FOCUS, abs=0.3)


def test_detail_too_fine_for_the_first_look_is_worth_a_full_one():
    unsure = np.full((30, 40), np.nan)
    detail = np.ones((30, 40))
    detail[12] = 50
    assert np.flatnonzero(worth_a_full_look(unsure, detail, 100)).tolist() == [*range(10, 15)]
    assert worth_a_full_look(unsure, np.ones((30, 40)), 100).all()
