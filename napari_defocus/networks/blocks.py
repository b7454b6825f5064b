"""Building blocks shared by the networks. None looks at the whole image."""

from collections.abc import Sequence
from itertools import accumulate

import torch
from torch import Tensor, nn
from torch.nn import functional

#: Channels from which on convolving each sums neighbors faster than adding them up.
_MANY = 8


class ChannelNorm(nn.Module):
    """Layer normalization over the channels of each pixel on its own."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels)

    def forward(self, x: Tensor) -> Tensor:
        """Normalize (N, C, H, W)."""
        normed: Tensor = self.norm(x.permute(0, 2, 3, 1))
        return normed.permute(0, 3, 1, 2)


def simple_gate(x: Tensor) -> Tensor:
    """One half of the channels times the other, the only non-linearity of NAFNet."""
    a, b = x.chunk(2, dim=1)
    return a * b


class GatedBlock(nn.Module):
    """Residual block: norm, modulation, dense 3x3 convolution, simple gate, 1x1 convolution.

    NAFNet's block with a dense convolution in place of the depthwise one, and without its global
    channel attention, which would make tiles disagree.

    Parameters
    ----------
    channels : int
        Channels in and out.
    hidden : int
        Channels behind the 3x3 convolution; the gate halves them.
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
        """Refine (N, C, H, W), steered by (N, condition, H, W)."""
        features = self.norm(x)
        if self.modulation is not None:
            scale, shift = self.modulation(condition).chunk(2, dim=1)
            features = torch.addcmul(features, features, scale).add_(shift)
        refined: Tensor = self.project(simple_gate(self.conv(features)))
        return refined.add_(x)


class Down(nn.Conv2d):
    """Halve the size, by 2x2 convolution of stride 2."""

    def __init__(self, channels: int, out: int) -> None:
        super().__init__(channels, out, 2, stride=2)


class Up(nn.Module):
    """Double the size, by 1x1 convolution and pixel shuffle."""

    def __init__(self, channels: int, out: int) -> None:
        super().__init__()
        self.expand = nn.Conv2d(channels, 4 * out, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) to (N, out, 2 H, 2 W)."""
        return functional.pixel_shuffle(self.expand(x), 2)


def joined(features: Sequence[Tensor]) -> Tensor:
    """Channels of (N, C, H, W) each, in one tensor, last in memory, where convolutions want them.

    Copied there one after the other: faster than bringing each into that order to join them.
    """
    count, _, height, width = features[0].shape
    ends = list(accumulate(x.shape[1] for x in features))
    whole = features[0].new_empty(count, height, width, ends[-1]).permute(0, 3, 1, 2)
    for x, end in zip(features, ends, strict=True):
        whole[:, end - x.shape[1] : end] = x
    return whole


def luma(rgb: Tensor) -> Tensor:
    """Rec. 709 weighted mean of (N, 3, H, W), as (N, 1, H, W)."""
    return 0.2126 * rgb[:, :1] + 0.7152 * rgb[:, 1:2] + 0.0722 * rgb[:, 2:]


def box(x: Tensor, half: int) -> Tensor:
    """Mean over a (2 half + 1)-wide square; outside the image counts for nothing."""
    counts = [_counts(length, half, x.device) for length in x.shape[-2:]]
    sums = _convolved_sums if x.shape[1] >= _MANY else _doubled_sums
    for axis in (-2, -1):
        x = sums(x, half, axis)
    return x.div_(counts[0][:, None] * counts[1])


def _counts(length: int, half: int, device: torch.device) -> Tensor:
    """How many of the 2 half + 1 neighbors of each place along an axis lie inside."""
    ends = torch.arange(length, device=device)
    return (ends + half + 1).clamp(max=length) - (ends - half).clamp(min=0)


def _convolved_sums(x: Tensor, half: int, axis: int) -> Tensor:
    """Sums of 2 half + 1 neighbors along an axis, by convolving each channel with ones.

    Of many channels, last in memory, that is three times faster than `_doubled_sums`.
    """
    shape, margin = ((-1, 1), (half, 0)) if axis == -2 else ((1, -1), (0, half))
    ones = x.new_ones(2 * half + 1).view(shape).expand(x.shape[1], 1, -1, -1)
    with torch.autocast(x.device.type, enabled=False):
        return functional.conv2d(x, ones, padding=margin, groups=x.shape[1])


def _doubled_sums(x: Tensor, half: int, axis: int) -> Tensor:
    """Sums of 2 half + 1 neighbors along an axis: of 1, 2, 4, ... at once, as needed.

    Of few channels that is several times faster on processors than pooling or convolving.
    """
    margin = (0, 0, half, half) if axis == -2 else (half, half)
    length, side = x.shape[axis], 2 * half + 1
    sums, size = functional.pad(x, margin), 1
    total, start = sums.narrow(axis, 0, length), 1
    while 2 * size <= side:
        kept = sums.shape[axis] - size
        sums = sums.narrow(axis, 0, kept) + sums.narrow(axis, size, kept)
        size *= 2
        if side & size:
            total = total + sums.narrow(axis, start, length)
            start += size
    return total


def locally_normalized(x: Tensor, half: int, floor: float = 0.02) -> Tensor:
    """Value minus local mean, over the local size of that difference (at least `floor`).

    Looks 2 `half` pixels far: the difference is averaged after it was taken, which keeps the scale
    of texture beside a strong edge.
    """
    centered = x - box(x, half)
    return centered / (box(centered**2, half) + floor**2).sqrt()


def local_statistics(x: Tensor, half: int, floor: float = 0.02) -> tuple[Tensor, Tensor]:
    """Local mean, and local standard deviation (at least `floor`); both look `half` pixels far."""
    mean = box(x, half)
    variance = (box(x * x, half) - mean * mean).clamp(min=0)
    return mean, (variance + floor**2).sqrt()
