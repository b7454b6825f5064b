"""Blur kernels: non-negative, of unit sum and of the size of their radius."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from napari_defocus.optics.kernels import butterworth, disk, disks, grid, half_pupil, mirror

RADII = st.floats(0, 24)


@given(RADII)
@pytest.mark.parametrize("family", [disk, butterworth])
def test_kernels_are_non_negative_and_of_unit_sum(family, radius):
    kernel = family(radius)
    assert kernel.shape[0] == kernel.shape[1]
    assert kernel.shape[0] % 2 == 1
    assert kernel.min() >= 0
    assert kernel.sum().item() == pytest.approx(1, abs=1e-5)


@given(st.floats(2, 24))
def test_disk_has_the_second_moment_of_its_radius_and_of_a_pixel(radius):
    kernel = disk(radius)
    y, x = grid(kernel.shape[0] // 2)
    moment = (kernel * (x**2 + y**2)).sum().item()
    assert moment == pytest.approx(radius**2 / 2 + 1 / 6, rel=0.05)


def test_disk_without_blur_is_one_pixel():
    kernel = disk(0, half=2)
    assert kernel[2, 2] == 1
    assert kernel.sum() == 1


def test_disks_have_the_whole_radii_from_zero_to_the_largest():
    for radius, kernel in enumerate(disks(5)):
        torch.testing.assert_close(kernel, disk(float(radius), half=6))


def test_butterworth_dips_in_the_middle():
    kernel = butterworth(10)
    middle = kernel.shape[0] // 2
    assert kernel[middle, middle] < 0.2 * kernel[middle, middle + 9]


@given(st.floats(2, 20))
def test_left_view_of_a_positive_radius_lies_to_the_right(radius):
    left = half_pupil(disk(radius), ramp=radius / 2)
    _, x = grid(left.shape[0] // 2)
    shift = (left * x).sum().item()
    assert 0.2 * radius < shift < 0.45 * radius
    assert (mirror(left) * x).sum().item() == pytest.approx(-shift, abs=1e-4)


def test_both_views_together_are_the_whole_pupil():
    left = half_pupil(disk(6.0), ramp=3.0)
    torch.testing.assert_close((left + mirror(left)) / 2, disk(6.0), atol=1e-4, rtol=0)
