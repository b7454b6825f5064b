"""Pupils: kernels of any radius, of unit sum and centered, from names and arrays."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_defocus.errors import OptionError
from napari_defocus.optics.kernels import disk, disks
from napari_defocus.optics.pupil import NAMED_PUPILS, make_pupil

SKEWED = np.arange(1, 21.0).reshape(4, 5)


def moments(kernel):
    """Return total, center of mass, and the radius of the disk as wide in mean square."""
    half = kernel.shape[-1] // 2
    steps = torch.arange(-half, half + 1.0)
    rows, columns = kernel.sum(1), kernel.sum(0)
    center = float(rows @ steps), float(columns @ steps)
    spread = float(rows @ steps**2 + columns @ steps**2) - center[0] ** 2 - center[1] ** 2
    return float(kernel.sum()), center, math.sqrt(2 * spread)


@pytest.mark.parametrize("value", [*NAMED_PUPILS, "polygon:3", "cats-eye:1.5", SKEWED, disks(6)])
@settings(max_examples=8)
@given(st.floats(-12, 12))
def test_kernels_of_any_radius_are_light_of_unit_sum_in_the_middle(value, radius):
    pupil = make_pupil(value)
    kernel = pupil.kernel(radius)
    assert kernel.dtype == torch.float32
    assert kernel.shape[0] == kernel.shape[1] == 2 * (kernel.shape[0] // 2) + 1
    assert kernel.shape[0] // 2 <= pupil.reach(radius)
    assert kernel.min() >= 0
    total, center, _ = moments(kernel)
    assert total == pytest.approx(1, abs=1e-5)
    assert center == pytest.approx((0, 0), abs=0.05)  # pixels divide it


def test_the_named_disk_is_the_disk():
    assert torch.equal(make_pupil("disk").kernel(-3.7), disk(3.7))


@pytest.mark.parametrize("radius", [3.0, 7.5])
def test_sizes_are_those_that_are_promised(radius):
    polygon = make_pupil("polygon:6").kernel(radius)
    assert (polygon > 0.5 * polygon.max()).sum() == pytest.approx(math.pi * radius**2, rel=0.1)
    ring = make_pupil("ring:0.5").kernel(radius)
    middle = ring.shape[0] // 2
    assert ring[middle, middle] < 0.05 * ring.max()
    assert ring[middle, middle + int(radius) - 1] > 0.7 * ring.max()
    assert ring[middle, middle + int(radius) + 2 :].sum() == 0
    eye = make_pupil("cats-eye:0.6").kernel(radius)
    columns, rows = ((eye > 0.5 * eye.max()).any(axis).sum() for axis in (0, 1))
    assert columns == pytest.approx(1.4 * radius, abs=1.5)
    assert rows == pytest.approx(2 * math.sqrt(1 - 0.3**2) * radius, abs=1.5)


@pytest.mark.parametrize("radius", [2.0, 4.0, 9.0])
def test_a_kernel_has_the_radius_of_the_disk_as_wide(radius):
    *_, width = moments(make_pupil(SKEWED).kernel(radius))
    assert width == pytest.approx(radius, rel=0.05)
    *_, width = moments(make_pupil(disk(5.0).numpy()).kernel(radius))
    assert width == pytest.approx(radius, rel=0.05)


def test_a_kernel_is_turned_in_front_of_the_plane_of_focus():
    pupil = make_pupil(SKEWED)
    assert torch.equal(pupil.kernel(3.0), pupil.kernel(-3.0).flip(0, 1))
    assert not torch.allclose(pupil.kernel(3.0), pupil.kernel(-3.0))
    upright = pupil.kernel(-3.0)
    assert upright[4, 5:].sum() > 1.3 * upright[4, :4].sum()  # as brighter on the right


def test_kernels_of_whole_radii_are_taken_as_they_are_and_interpolated_between():
    kernels = disks(6)
    pupil = make_pupil(kernels.numpy())
    torch.testing.assert_close(pupil.kernel(-4.0), kernels[4])
    torch.testing.assert_close(pupil.kernel(-4.25), 0.75 * kernels[4] + 0.25 * kernels[5])
    *_, width = moments(pupil.kernel(12.0))
    assert width == pytest.approx(12, rel=0.05)


@pytest.mark.parametrize("radius", [0.0, 0.3, -0.4])
def test_what_is_in_focus_stays_a_point(radius):
    kernel = make_pupil("ring:0.5").kernel(radius)
    assert kernel.max() == kernel[1, 1] == 1


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("hexagon", "pupil is 'hexagon'; 'disk', 'polygon:N' of 3 to 16 blades"),
        ("polygon", "pupil is 'polygon'; 'disk'"),
        ("polygon:2", "pupil is 'polygon:2'"),
        ("polygon:6.5", "pupil is 'polygon:6.5'"),
        ("ring:1", "pupil is 'ring:1'"),
        ("ring:nan", "pupil is 'ring:nan'"),
        ("cats-eye:-1", "pupil is 'cats-eye:-1'"),
        (None, "pupil is None"),
        ({}, "pupil is {}"),
        (5, "pupil is 5"),
        (np.ones((2, 4, 4)), r"pupil is an array of shape \(2, 4, 4\)"),
        (np.ones((0, 4)), r"pupil is an array of shape \(0, 4\)"),
        (np.zeros((4, 4)), "nothing but zeros"),
        (np.array([[1, -1.0]]), "negative numbers"),
        (np.array([[1, np.nan]]), "not finite"),
    ],
)
def test_other_values_are_refused_in_one_sentence(value, words):
    with pytest.raises(OptionError, match=words) as error:
        make_pupil(value)
    assert "\n" not in str(error.value)
