"""Display encoding and linear light in torch; ``image.encoding`` has both for NumPy."""

from typing import Any, cast

import torch
from torch import Tensor

#: Linear light below which the sRGB curve is straight.
_TOE = 0.0031308
_SLOPE, _OFFSET, _GAMMA = 12.92, 0.055, 2.4


def encode_srgb(linear: Tensor) -> Tensor:
    """Encode linear light by the sRGB curve, extended to any real number.

    Parameters
    ----------
    linear : Tensor
        Any shape; black 0, white 1. The curve is odd-symmetric below 0, and its power law continues
        above 1.

    Returns
    -------
    Tensor
        Display-encoded values of the same shape.

    Notes
    -----
    IEC 61966-2-1.

    Examples
    --------
    >>> round(encode_srgb(torch.tensor(0.5)).item(), 4)
    0.7354
    """
    return cast(Tensor, _Encode.apply(_precise(linear)))  # type: ignore[no-untyped-call]


def decode_srgb(display: Tensor) -> Tensor:
    """Decode display values to linear light: the inverse of `encode_srgb`.

    Parameters
    ----------
    display : Tensor
        Any shape; black 0, white 1.

    Returns
    -------
    Tensor
        Linear light of the same shape.

    Examples
    --------
    >>> round(decode_srgb(torch.tensor(0.7354)).item(), 3)
    0.5
    """
    return cast(Tensor, _Decode.apply(_precise(display)))  # type: ignore[no-untyped-call]


def _precise(values: Tensor) -> Tensor:
    """Return values in single precision at least."""
    return values.to(torch.promote_types(values.dtype, torch.float32))


class _Encode(torch.autograd.Function):
    """The curve with as few passes over memory as it takes."""

    @staticmethod
    def forward(context: Any, linear: Tensor) -> Tensor:
        context.save_for_backward(linear)
        size = linear.abs()
        curve = size.clamp(min=_TOE).log_().mul_(1 / _GAMMA).exp_()
        curve.mul_(1 + _OFFSET).sub_(_OFFSET)
        # above the toe the curve lies below the line, and below it above
        return torch.minimum(curve, size.mul_(_SLOPE), out=curve).copysign_(linear)

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> Tensor:
        (linear,) = context.saved_tensors
        size = linear.abs()
        slope = (1 + _OFFSET) / _GAMMA * size.clamp(min=_TOE) ** (1 / _GAMMA - 1)
        return gradients[0] * torch.where(size <= _TOE, _SLOPE, slope)


class _Decode(torch.autograd.Function):
    """The inverse curve, likewise."""

    @staticmethod
    def forward(context: Any, display: Tensor) -> Tensor:
        context.save_for_backward(display)
        size = display.abs()
        base = size.clamp(min=_SLOPE * _TOE).add_(_OFFSET).div_(1 + _OFFSET)
        # a power above 1 would amplify rounding errors of the logarithm
        curve = base.log().mul_(_GAMMA - 2).exp_().mul_(base).mul_(base)
        is_toe = size <= _SLOPE * _TOE
        return torch.where(is_toe, size.div_(_SLOPE), curve).copysign_(display)

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> Tensor:
        (display,) = context.saved_tensors
        size = display.abs()
        base = (size.clamp(min=_SLOPE * _TOE) + _OFFSET) / (1 + _OFFSET)
        slope = _GAMMA / (1 + _OFFSET) * base ** (_GAMMA - 1)
        return gradients[0] * torch.where(size <= _SLOPE * _TOE, 1 / _SLOPE, slope)
