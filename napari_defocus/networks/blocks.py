"""Building blocks of the networks; none uses statistics of the whole image."""

from collections.abc import Sequence
from itertools import accumulate
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

#: Number of channels from which on convolution sums neighbors faster than additions do.
_MANY_CHANNELS = 8
#: Rows of a strip.
_STRIP = 32


class ChannelNorm(nn.Module):
    """Layer normalization over the channels of each pixel."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels)

    def forward(self, x: Tensor) -> Tensor:
        """Normalize (N, C, H, W)."""
        result: Tensor = self.norm(x.permute(0, 2, 3, 1))
        return result.permute(0, 3, 1, 2)


def simple_gate(x: Tensor) -> Tensor:
    """Return one half of the channels times the other, the only non-linearity of NAFNet."""
    a, b = x.chunk(2, dim=1)
    return a * b


class GatedBlock(nn.Module):
    """Residual block: norm, modulation, dense 3x3 convolution, simple gate, 1x1 convolution.

    The block of NAFNet with a dense convolution in place of the depthwise one, and without global
    channel attention, which would make tiles differ from the whole image.

    Parameters
    ----------
    channels : int
        Channels in and out.
    hidden : int
        Channels after the 3x3 convolution; the gate halves them.
    condition : int
        Channels of the condition that scales and shifts the normalized features; 0 for none.
    """

    def __init__(self, channels: int, hidden: int, condition: int = 0) -> None:
        super().__init__()
        self.norm = ChannelNorm(channels)
        self.modulation = nn.Conv2d(condition, 2 * channels, 1) if condition else None
        self.conv = nn.Conv2d(channels, hidden, 3, padding=1)
        self.project = nn.Conv2d(hidden // 2, channels, 1)
        nn.init.zeros_(self.project.weight)
        nn.init.zeros_(self.project.bias)  # type: ignore[arg-type]
        if self.modulation is not None:
            nn.init.zeros_(self.modulation.weight)
            nn.init.zeros_(self.modulation.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor, condition: Tensor | None = None) -> Tensor:
        """Refine (N, C, H, W), modulated by (N, condition, H, W)."""
        features = self.norm(x)
        if self.modulation is not None:
            features = _modulate(features, self.modulation, cast(Tensor, condition))
        change: Tensor = self.project(simple_gate(self.conv(features)))
        return change.add_(x)


def _modulate(features: Tensor, layer: nn.Conv2d, condition: Tensor) -> Tensor:
    """Return features * (1 + scale) + shift, where a layer makes both of the condition.

    The 1 is added to the layer's bias, which saves a pass over the features.
    """
    scale, shift = cast(Tensor, layer.bias).chunk(2)
    factors = functional.conv2d(condition, layer.weight, torch.cat([1 + scale, shift]))
    factor, shift = factors.chunk(2, dim=1)
    return torch.addcmul(shift, features, factor)


class Down(nn.Conv2d):
    """Halving of the size by a 2x2 convolution of stride 2."""

    def __init__(self, channels: int, out: int) -> None:
        super().__init__(channels, out, 2, stride=2)


class Up(nn.Module):
    """Doubling of the size by a 1x1 convolution and pixel shuffle."""

    def __init__(self, channels: int, out: int) -> None:
        super().__init__()
        self.expand = nn.Conv2d(channels, 4 * out, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, out, 2 H, 2 W) from (N, C, H, W)."""
        return functional.pixel_shuffle(self.expand(x), 2)


def join_channels(features: Sequence[Tensor]) -> Tensor:
    """Concatenate tensors (N, C, H, W) along channels, with channels last in memory.

    Copying each into place is faster than bringing each into that order before joining them.
    """
    count, _, height, width = features[0].shape
    ends = list(accumulate(x.shape[1] for x in features))
    whole = features[0].new_empty(count, height, width, ends[-1]).permute(0, 3, 1, 2)
    for x, end in zip(features, ends, strict=True):
        whole[:, end - x.shape[1] : end] = x
    return whole


def row_strips(height: int) -> list[slice]:
    """Return the rows of an image in strips, whose features fit into a processor's cache.

    Where gradients are needed, there is one strip: a graph of many parts would be slower.
    """
    step = height if torch.is_grad_enabled() else _STRIP
    return [slice(start, min(start + step, height)) for start in range(0, height, step)]


def luma(rgb: Tensor) -> Tensor:
    """Return the Rec. 709 weighted mean (N, 1, H, W) of (N, 3, H, W)."""
    return 0.2126 * rgb[:, :1] + 0.7152 * rgb[:, 1:2] + 0.0722 * rgb[:, 2:]


def box(x: Tensor, half: int) -> Tensor:
    """Return the mean over a (2 half + 1)-wide square; pixels outside the image do not count."""
    counts = [_counts(length, half, x.device) for length in x.shape[-2:]]
    sums = _sum_by_convolution if x.shape[1] >= _MANY_CHANNELS else _sum_by_doubling
    for axis in (-2, -1):
        x = sums(x, half, axis)
    return x.div_(counts[0][:, None] * counts[1])


def _counts(length: int, half: int, device: torch.device) -> Tensor:
    """Return the number of the 2 half + 1 neighbors along an axis that lie inside."""
    ends = torch.arange(length, device=device)
    return (ends + half + 1).clamp(max=length) - (ends - half).clamp(min=0)


def _sum_by_convolution(x: Tensor, half: int, axis: int) -> Tensor:
    """Sum 2 half + 1 neighbors along an axis by convolving each channel with ones.

    For many channels, last in memory, it is three times faster than `_sum_by_doubling`.
    """
    shape, margin = ((-1, 1), (half, 0)) if axis == -2 else ((1, -1), (0, half))
    ones = x.new_ones(2 * half + 1).view(shape).expand(x.shape[1], 1, -1, -1)
    with torch.autocast(x.device.type, enabled=False):
        return functional.conv2d(x, ones, padding=margin, groups=x.shape[1])


def _sum_by_doubling(x: Tensor, half: int, axis: int) -> Tensor:
    """Sum 2 half + 1 neighbors along an axis from sums of 1, 2, 4, ... neighbors.

    For few channels it is several times faster on CPUs than pooling or convolving.
    """
    margin = (0, 0, half, half) if axis == -2 else (half, half)
    length, side = x.shape[axis], 2 * half + 1
    sums, size = functional.pad(x, margin), 1
    total, start = sums.narrow(axis, 0, length), 1
    while 2 * size <= side:
        count = sums.shape[axis] - size
        sums = sums.narrow(axis, 0, count) + sums.narrow(axis, size, count)
        size *= 2
        if side & size:
            total = total + sums.narrow(axis, start, length)
            start += size
    return total


def normalize_locally(x: Tensor, half: int, floor: float = 0.02) -> Tensor:
    """Return the difference from the local mean, divided by its local root mean square.

    The divisor is at least `floor`. Pixels up to 2 `half` away matter: differences from each
    pixel's own mean keep the contrast of texture beside a strong edge.
    """
    centered = x - box(x, half)
    return centered / (box(centered**2, half) + floor**2).sqrt()


def local_statistics(x: Tensor, half: int, floor: float = 0.02) -> tuple[Tensor, Tensor]:
    """Return local mean and standard deviation (at least `floor`) of a (2 half + 1)-wide square."""
    mean = box(x, half)
    variance = (box(x * x, half) - mean * mean).clamp(min=0)
    return mean, (variance + floor**2).sqrt()
