"""The display curve: standard values, exact inverse, finite gradients."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from napari_defocus.optics.light import decode_srgb, encode_srgb


def test_standard_values():
    linear = torch.tensor([0.0, 0.0031308, 0.214041, 1.0])
    expected = torch.tensor([0.0, 0.0404499, 0.5, 1.0])
    torch.testing.assert_close(encode_srgb(linear), expected, atol=1e-5, rtol=0)


@given(st.lists(st.floats(-4, 4, width=32), min_size=1))
def test_decoding_inverts_encoding(values):
    linear = torch.tensor(values, dtype=torch.float32)
    torch.testing.assert_close(decode_srgb(encode_srgb(linear)), linear, atol=1e-5, rtol=1e-5)


def test_gradients_are_finite_at_black():
    linear = torch.zeros(3, requires_grad=True)
    encode_srgb(linear).sum().backward()
    torch.testing.assert_close(linear.grad, torch.full((3,), 12.92))


@pytest.mark.parametrize("curve", [encode_srgb, decode_srgb])
def test_gradients_are_those_of_the_curve(curve):
    values = torch.tensor([-2.0, -0.5, -0.002, 0.002, 0.05, 0.3, 0.9, 1.7], dtype=torch.float64)
    assert torch.autograd.gradcheck(curve, values.requires_grad_())
