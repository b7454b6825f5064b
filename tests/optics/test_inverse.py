"""Inverse kernels: they reduce the blur of their disk."""

import pytest
import torch
from skimage.data import astronaut

from napari_defocus.optics.convolution import convolve
from napari_defocus.optics.inverse import inverse_bank, inverse_kernel
from napari_defocus.optics.kernels import disk


@pytest.mark.parametrize(
    ("radius", "remaining_share"),
    [(1.2, 0.65), (2.0, 0.65), (3.2, 0.65), (5.0, 0.65), (7.5, 0.8)],
)
def test_an_inverse_kernel_reduces_the_blur_of_its_disk(radius, remaining_share):
    sharp = torch.from_numpy(astronaut()).permute(2, 0, 1)[None].float() / 255
    blurred = convolve(sharp, disk(radius)[None])[:, 0]
    restored = convolve(blurred, inverse_kernel(radius, 18)[None])[:, 0]
    inner = (..., slice(40, -40), slice(40, -40))
    before = (blurred - sharp)[inner].square().mean()
    after = (restored - sharp)[inner].square().mean()
    assert after < remaining_share * before


def test_bank_keeps_brightness_and_size():
    bank = inverse_bank((1.0, 4.0), 9)
    assert bank.shape == (2, 19, 19)
    torch.testing.assert_close(bank.sum((-2, -1)), torch.ones(2))


def test_disks_wider_than_the_grid_are_refused():
    assert inverse_kernel(126.5, 8).isfinite().all()
    with pytest.raises(ValueError, match="radius 127 px is wider than 256 px"):
        inverse_kernel(127.0, 8)
