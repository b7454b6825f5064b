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
    luma,
)
from napari_defocus.networks.descriptor import Descriptor


class _Trunk(nn.Module):
    """U-Net over half, quarter and eighth resolution, to two channels at full resolution."""

    def __init__(self, channels: int, widths: Sequence[int], blocks: Sequence[int]) -> None:
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
        self.leave_quarter = stage(blocks[2], quarter)
        self.from_quarter = Up(quarter, half)
        self.leave_half = stage(blocks[3], half)
        self.head = nn.Conv2d(half, 8, 1)

    def forward(self, x: Tensor) -> Tensor:
        top = self.stem(x)
        middle = self.enter_quarter(self.to_quarter(top))
        bottom = self.eighth(self.to_eighth(middle))
        middle = self.leave_quarter(middle + self.from_eighth(bottom))
        top = self.leave_half(top + self.from_quarter(middle))
        return functional.pixel_shuffle(self.head(top), 2).float()


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
    brightness and contrast need not agree; a U-Net turns the costs into a radius.

    Parameters
    ----------
    shifts : int
        Largest shift tried between the views, in half-resolution pixels, to either side.
    normalise_half, boxes : int, sequence of int
        Half-widths, in half-resolution pixels, of the local normalisation and of the windows over
        which costs are averaged.
    widths, blocks : sequence of int
        As in `SingleEstimator`.
    """

    descriptor = Descriptor("dual", receptive_radius=64, multiple=8)

    def __init__(
        self,
        shifts: int = 10,
        normalise_half: int = 4,
        boxes: Sequence[int] = (1, 4),
        widths: Sequence[int] = (32, 48, 96),
        blocks: Sequence[int] = (2, 2, 1, 1),
    ) -> None:
        super().__init__()
        self.shifts = shifts
        self.normalise_half = normalise_half
        self.boxes = tuple(boxes)
        self.trunk = _Trunk(8 + len(self.boxes) * (2 * shifts + 1), widths, blocks)

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
        fine = functional.pixel_unshuffle(locally_normalised(views, 2 * self.normalise_half), 2)
        coarse = locally_normalised(functional.avg_pool2d(views, 2), self.normalise_half)
        raw = self.trunk(torch.cat([fine, self.costs(coarse)], 1))
        limit = self.descriptor.max_radius
        return torch.cat([(4 * raw[:, :1]).clamp(-limit, limit), raw[:, 1:].sigmoid()], 1)

    def costs(self, views: Tensor) -> Tensor:
        """Mean absolute difference of the views at each shift and window, (N, C, H/2, W/2)."""
        left, right = views[:, :1], views[:, 1:]
        apart = [
            (_shifted(left, -(shift - shift // 2)) - _shifted(right, shift // 2)).abs()
            for shift in range(-self.shifts, self.shifts + 1)
        ]
        cost = torch.cat(apart, 1)
        return torch.cat([box(cost, half) for half in self.boxes], 1)


def _shifted(x: Tensor, by: int) -> Tensor:
    """Content moved to the right by whole pixels, the edge continued."""
    width = x.shape[-1]
    columns = (torch.arange(width, device=x.device) - by).clamp(0, width - 1)
    return x.index_select(-1, columns)
