"""The two defocus estimators: from one image, and from two dual-pixel views."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from napari_defocus.networks.blocks import (
    Down,
    GatedBlock,
    Up,
    box,
    locally_normalised,
    locally_standardised,
    luma,
)
from napari_defocus.networks.descriptor import Descriptor

_TEXTURED = 0.03
_FLAT = 1e-3


class _Trunk(nn.Module):
    """U-Net over half, quarter and eighth resolution, to two channels at full resolution.

    `late` channels at quarter resolution may join on the way out: features that look so far that
    the way in would make them look too far.
    """

    def __init__(
        self, channels: int, widths: Sequence[int], blocks: Sequence[int], late: int = 0
    ) -> None:
        super().__init__()
        half, quarter, eighth = widths

        def stage(count: int, width: int) -> nn.Sequential:
            return nn.Sequential(*(GatedBlock(width, width) for _ in range(count)))

        self.stem = nn.Conv2d(channels, half, 3, padding=1)
        self.to_quarter = Down(half, quarter)
        self.enter_quarter = stage(blocks[0], quarter)
        self.to_eighth = Down(quarter, eighth)
        self.eighth = stage(blocks[1], eighth)
        self.from_eighth = Up(eighth, quarter)
        self.join = nn.Conv2d(late, quarter, 1) if late else None
        self.leave_quarter = stage(blocks[2], quarter)
        self.from_quarter = Up(quarter, half)
        self.leave_half = stage(blocks[3], half)
        self.head = nn.Conv2d(half, 8, 1)

    def forward(self, x: Tensor, late: Tensor | None = None) -> Tensor:
        top = self.stem(x)
        middle = self.enter_quarter(self.to_quarter(top))
        bottom = self.eighth(self.to_eighth(middle))
        middle = middle + self.from_eighth(bottom)
        if self.join is not None:
            middle = middle + self.join(late)
        middle = self.leave_quarter(middle)
        top = self.leave_half(top + self.from_quarter(middle))
        return box(functional.pixel_shuffle(self.head(top), 2).float(), 1)


class SingleEstimator(nn.Module):
    """Unsigned blur radius and confidence from one image.

    Parameters
    ----------
    widths : sequence of int
        Channels at half, quarter and eighth resolution.
    blocks : sequence of int
        Blocks at quarter (in), eighth, quarter (out) and half resolution (out).
    """

    descriptor = Descriptor("single", receptive_radius=64, multiple=8)

    def __init__(
        self, widths: Sequence[int] = (24, 48, 96), blocks: Sequence[int] = (2, 4, 2, 1)
    ) -> None:
        super().__init__()
        self.trunk = _Trunk(16, widths, blocks)

    def forward(self, x: Tensor) -> Tensor:
        """Estimate.

        Parameters
        ----------
        x : Tensor
            (N, 3, H, W) display-encoded RGB; H, W multiples of 8.

        Returns
        -------
        Tensor
            (N, 2, H, W): radius >= 0 in px, confidence in [0, 1].
        """
        texture = locally_normalised(luma(x), 4)
        seen = torch.cat([x - 0.5, texture], 1)
        raw = self.trunk(functional.pixel_unshuffle(seen, 2))
        radius = functional.softplus(2 * raw[:, :1]) / 2
        limit = self.descriptor.max_radius
        return torch.cat([radius.clamp(max=limit), raw[:, 1:].sigmoid()], 1)


class DualEstimator(nn.Module):
    """Signed blur radius and confidence from two dual-pixel views.

    The views are compared at half resolution over a range of shifts, locally normalised so that
    brightness and contrast need not agree. A U-Net sees the costs averaged over narrow windows;
    on its way out it also sees them averaged over wide windows, weighted by local texture, so that
    flat areas learn from their surroundings.

    Parameters
    ----------
    shifts : int
        Largest shift tried between the views, in half-resolution pixels, to either side.
    normalise_half : int
        Half-width of the local normalisation, in half-resolution pixels: as wide as the largest
        blur, or what little texture is left is lost in noise.
    narrow, wide : sequence of int
        Half-widths, in half-resolution pixels, of the windows over which costs are averaged.
    widths, blocks : sequence of int
        As in `SingleEstimator`.
    """

    descriptor = Descriptor("dual", receptive_radius=64, multiple=8)

    def __init__(
        self,
        shifts: int = 10,
        normalise_half: int = 8,
        narrow: Sequence[int] = (1, 4),
        wide: Sequence[int] = (6, 14),
        widths: Sequence[int] = (32, 48, 96),
        blocks: Sequence[int] = (2, 2, 1, 1),
    ) -> None:
        super().__init__()
        self.shifts = shifts
        self.normalise_half = normalise_half
        self.narrow, self.wide = tuple(narrow), tuple(wide)
        candidates = 2 * shifts + 1
        self.trunk = _Trunk(
            8 + len(narrow) * candidates, widths, blocks, late=len(wide) * candidates
        )

    def forward(self, x: Tensor) -> Tensor:
        """Estimate.

        Parameters
        ----------
        x : Tensor
            (N, 6, H, W): left view's RGB, right view's RGB, display-encoded; H, W multiples of 8.

        Returns
        -------
        Tensor
            (N, 2, H, W): signed radius in px (> 0 where the left view's content lies to the right
            of the right view's), confidence in [0, 1].
        """
        views = torch.cat([luma(x[:, :3]), luma(x[:, 3:])], 1)
        fine = functional.pixel_unshuffle(locally_standardised(views, self.normalise_half), 2)
        small = functional.avg_pool2d(views, 2)
        costs = self.costs(small)
        narrow = [box(costs, half) for half in self.narrow]
        smooth = box(small, 1)
        raw = self.trunk(torch.cat([fine, *narrow], 1), self.aggregated(self.costs(smooth), smooth))
        limit = self.descriptor.max_radius
        return torch.cat([(4 * raw[:, :1]).clamp(-limit, limit), raw[:, 1:].sigmoid()], 1)

    def costs(self, views: Tensor) -> Tensor:
        """Absolute difference of the normalised views at each shift, (N, S, H, W)."""
        left, right = locally_standardised(views, self.normalise_half).chunk(2, 1)
        apart = [
            (_shifted(left, -(shift - shift // 2)) - _shifted(right, shift // 2)).abs()
            for shift in range(-self.shifts, self.shifts + 1)
        ]
        return torch.cat(apart, 1)

    def aggregated(self, costs: Tensor, views: Tensor) -> Tensor:
        """Costs averaged over wide windows where there is texture, at half their resolution."""
        texture = texture_weight(views.mean(1, keepdim=True))
        weighted = functional.avg_pool2d(torch.cat([costs * texture, texture], 1), 2)
        sums = [box(weighted, half // 2) for half in self.wide]
        return torch.cat([s[:, :-1] / (s[:, -1:] + _FLAT) for s in sums], 1)


def texture_weight(grey: Tensor) -> Tensor:
    """How much a pixel's surroundings tell about a horizontal shift, (N, 1, H, W), in [0, 1)."""
    slope = functional.pad(grey, (1, 1, 0, 0), mode="replicate")
    energy = box((slope[..., 2:] - slope[..., :-2]) ** 2, 3)
    return energy / (energy + _TEXTURED**2)


def _shifted(x: Tensor, by: int) -> Tensor:
    """Content moved to the right by whole pixels, the edge continued."""
    width = x.shape[-1]
    columns = (torch.arange(width, device=x.device) - by).clamp(0, width - 1)
    return x.index_select(-1, columns)
