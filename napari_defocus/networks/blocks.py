"""Building blocks shared by the networks. None looks at the whole image."""

import torch
from torch import Tensor, nn
from torch.nn import functional


class ChannelNorm(nn.Module):
    """Layer normalisation over the channels of each pixel on its own."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(channels)

    def forward(self, x: Tensor) -> Tensor:
        """Normalise (N, C, H, W)."""
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
        Channels of the condition that scales and shifts the normalised features; 0 for none.
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
            features = features * (1 + scale) + shift
        refined: Tensor = self.project(simple_gate(self.conv(features)))
        return x + refined


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


def luma(rgb: Tensor) -> Tensor:
    """Rec. 709 weighted mean of (N, 3, H, W), as (N, 1, H, W)."""
    weights = torch.tensor([0.2126, 0.7152, 0.0722], device=rgb.device, dtype=rgb.dtype)
    return (rgb * weights[:, None, None]).sum(1, keepdim=True)


def box(x: Tensor, half: int) -> Tensor:
    """Mean over a (2 half + 1)-wide square; outside the image counts for nothing."""
    for axis in (-2, -1):
        length = x.shape[axis]
        ends = torch.arange(length, device=x.device)
        count = (ends + half + 1).clamp(max=length) - (ends - half).clamp(min=0)
        x = _window_sums(x, half, axis) / (count[:, None] if axis == -2 else count)
    return x


def _window_sums(x: Tensor, half: int, axis: int) -> Tensor:
    """Sums of 2 half + 1 neighbours along an axis: of 1, 2, 4, ... at once, as needed.

    Pooling is several times slower on processors.
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


def locally_normalised(x: Tensor, half: int, floor: float = 0.02) -> Tensor:
    """Value minus local mean, over the local size of that difference (at least `floor`).

    Looks 2 `half` pixels far: the difference is averaged after it was taken, which keeps the scale
    of texture beside a strong edge.
    """
    centred = x - box(x, half)
    return centred / (box(centred**2, half) + floor**2).sqrt()


def locally_standardised(x: Tensor, half: int, floor: float = 0.02) -> Tensor:
    """Value minus local mean over local standard deviation (>= `floor`); looks `half` far."""
    mean = box(x, half)
    variance = (box(x * x, half) - mean * mean).clamp(min=0)
    return (x - mean) / (variance + floor**2).sqrt()
