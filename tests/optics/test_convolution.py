"""Convolution in the Fourier domain: it equals direct convolution."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import convolve as direct_convolution

from napari_defocus.optics.convolution import convolve, fast_length


@given(st.integers(3, 20), st.integers(3, 20), st.sampled_from([1, 3, 7]), st.integers(0, 99))
def test_equals_direct_convolution(height, width, side, seed):
    rng = torch.Generator().manual_seed(seed)
    image = torch.rand(1, 2, height, width, generator=rng)
    kernels = torch.rand(3, side, side, generator=rng)
    ours = convolve(image, kernels)
    for k in range(3):
        for c in range(2):
            expected = direct_convolution(image[0, c].numpy(), kernels[k].numpy(), mode="nearest")
            np.testing.assert_allclose(ours[0, k, c], expected, atol=1e-4)


def test_zero_padding_darkens_the_corners():
    ours = convolve(torch.ones(1, 1, 9, 9), torch.full((1, 3, 3), 1 / 9), padding="constant")
    assert ours[0, 0, 0, 4, 4].item() == pytest.approx(1, abs=1e-5)
    assert ours[0, 0, 0, 0, 0].item() == pytest.approx(4 / 9, abs=1e-5)


@given(st.integers(1, 3000))
def test_fast_length_is_the_next_smooth_number(length):
    def smooth(number):
        for factor in (2, 3, 5):
            while number % factor == 0:
                number //= factor
        return number == 1

    fast = fast_length(length)
    assert smooth(fast)
    assert not any(smooth(number) for number in range(length, fast))
