"""The two defocus estimators: from one image, and from two dual-pixel views.

Both refine what they found in the same picture at half the size: from coarse to fine, flat areas
learn from surroundings farther away than any one look could reach.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from napari_defocus.networks.blocks import (
    Down,
    GatedBlock,
    Up,
    box,
    joined,
    local_statistics,
    locally_normalized,
    luma,
)
from napari_defocus.networks.descriptor import Descriptor
from napari_defocus.optics.kernels import RADIUS_PER_DISPARITY

#: Views are compared at half resolution.
_RADIUS_PER_SHIFT = 2 * RADIUS_PER_DISPARITY
_RADIUS_UNIT = 8.0
_FLAT = 0.02
#: Clearness of matches below which there is nothing to be sure of.
_TOLD = 1e-3
#: How much more a coarser look weighs, before anything is learned, where it was confident.
_LOYALTY = 4.0
#: Channels at half size: luma of both views at the four pixels of each, luma of both, radius and
#: confidence of the coarser look, colors of both.
_HALVES = [8, 2, 2, 3]
#: A pixel and its neighbors.
_AROUND = tuple((y, x) for y in (-1, 0, 1) for x in (-1, 0, 1))
#: How much more a pixel's own radius weighs than a neighbor's, before anything is learned.
_OWN = 5.0


class _Trunk(nn.Module):
    """U-Net over half, quarter and eighth resolution; takes and gives half resolution.

    It gives `out` channels, and for each pass of mixing the scores of a pixel and its neighbors.
    `late` channels may join on the way out: features that look so far that the way in would make
    them look too far.
    """

    def __init__(
        self,
        channels: int,
        out: int,
        passes: int,
        widths: Sequence[int],
        blocks: Sequence[int],
        late: int = 0,
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
        self.leave_quarter = stage(blocks[2], quarter)
        self.from_quarter = Up(quarter, half)
        self.join = nn.Conv2d(late, half, 1) if late else None
        self.leave_half = stage(blocks[3], half)
        self.parts = [out, *[len(_AROUND)] * passes]
        self.head = nn.Conv2d(half, sum(self.parts), 1)

    def forward(self, x: Tensor, late: Tensor | None = None) -> tuple[Tensor, ...]:
        top = self.stem(x)
        middle = self.enter_quarter(self.to_quarter(top))
        bottom = self.eighth(self.to_eighth(middle))
        middle = self.leave_quarter(self.from_eighth(bottom).add_(middle))
        top = self.from_quarter(middle).add_(top)
        if self.join is not None:
            top = self.join(late).add_(top)
        top = self.leave_half(top)
        return torch.split(_channels_first(self.head, top), self.parts, 1)


class SingleEstimator(nn.Module):
    """Unsigned radius of all blur, and confidence, from one image.

    Parameters
    ----------
    neighbors : sequence of int
        How far away, in half-resolution pixels, the eight neighbors are with which each pixel's
        radius is mixed at last, pass by pass, by weights that the U-Net gives: pixels beside an
        edge in depth take the radius of the side that they belong to.
    widths : sequence of int
        Channels at half, quarter and eighth resolution.
    blocks : sequence of int
        Blocks at quarter (in), eighth, quarter (out) and half resolution (out).
    """

    descriptor = Descriptor("single", receptive_radius=64, multiple=8)

    def __init__(
        self,
        neighbors: Sequence[int] = (2, 1, 1),
        widths: Sequence[int] = (24, 48, 96),
        blocks: Sequence[int] = (2, 3, 2, 1),
    ) -> None:
        super().__init__()
        self.neighbors = tuple(neighbors)
        self.trunk = _Trunk(18, 2, len(self.neighbors), widths, blocks)

    def forward(self, x: Tensor) -> Tensor:
        """Estimate.

        Parameters
        ----------
        x : Tensor
            (N, 5, H, W): display-encoded RGB, clipped to black and white, so that hot pixels say
            little; radius in px and confidence as a coarser look found them, 0 and 0 where there
            was none. H, W multiples of 8.

        Returns
        -------
        Tensor
            (N, 2, H, W): radius >= 0 in px, confidence in [0, 1].
        """
        picture, found = x[:, :3].clamp(0, 1), functional.avg_pool2d(x[:, 3:], 2)
        texture = locally_normalized(luma(picture), 4)
        seen = functional.pixel_unshuffle(torch.cat([picture - 0.5, texture], 1), 2)
        raw, *scores = self.trunk(torch.cat([seen, _scaled(found)], 1))
        radius = functional.softplus(2 * (found[:, :1] + raw[:, :1])) / 2
        radius = _mixed(radius, scores, self.neighbors)
        return _answer(radius, raw[:, 1:], 0, self.descriptor.max_radius)


class DualEstimator(nn.Module):
    """Signed blur radius and confidence from two dual-pixel views.

    The views are compared at half resolution over a range of shifts, locally normalized so that
    brightness and contrast need not agree, and their differences averaged over windows of several
    widths. The best match of each is a candidate, what a coarser look has found another; a U-Net
    weighs them for every pixel, beside colors and texture, and corrects them.

    Parameters
    ----------
    shifts : int
        Largest shift tried between the views, in half-resolution pixels, to either side.
    normalize_half : int
        Half-width of the local normalization, in half-resolution pixels: as wide as the blur, or
        what little texture is left is lost in noise.
    windows : sequence of int
        Half-widths, in half-resolution pixels, of the windows over which differences are averaged.
    wide, spread : int
        Half-widths, in half-resolution pixels, of the widest windows, and of those over which
        their matches are averaged, the clearer weighing more.
    neighbors, widths, blocks : sequence of int
        As in `SingleEstimator`.
    """

    descriptor = Descriptor("dual", receptive_radius=64, multiple=8)

    def __init__(
        self,
        shifts: int = 6,
        normalize_half: int = 6,
        windows: Sequence[int] = (1, 3),
        wide: int = 6,
        spread: int = 8,
        neighbors: Sequence[int] = (6, 3, 1),
        widths: Sequence[int] = (32, 64, 96),
        blocks: Sequence[int] = (1, 2, 1, 1),
    ) -> None:
        super().__init__()
        self.shifts = shifts
        self.normalize_half = normalize_half
        self.windows = tuple(windows)
        self.wide, self.spread = wide, spread
        self.register_buffer("halving", _halving(), persistent=False)
        self.halving: Tensor
        self.neighbors = tuple(neighbors)
        looks = len(self.windows)
        channels = 8 + looks * (2 * shifts + 1) + 2 * looks + 2 + 3
        self.trunk = _Trunk(channels, looks + 4, len(self.neighbors), widths, blocks, late=2)

    def forward(self, x: Tensor) -> Tensor:
        """Estimate.

        Parameters
        ----------
        x : Tensor
            (N, 8, H, W): left view's RGB, right view's RGB, display-encoded; signed radius in px
            and confidence as a coarser look found them, 0 and 0 where there was none. H, W
            multiples of 8.

        Returns
        -------
        Tensor
            (N, 2, H, W): signed radius in px (> 0 where the left view's content lies to the right
            of the right view's), confidence in [0, 1].
        """
        fine, half, found, colors = torch.split(self.halves(x), _HALVES, 1)
        mean, deviation = local_statistics(half, self.normalize_half)
        fine = fine - mean.repeat_interleave(4, 1)
        fine = fine / deviation.repeat_interleave(4, 1)
        costs = self.costs((half - mean) / deviation)
        looks = [box(costs, width) for width in self.windows]
        matches = [_match(look) for look in looks]
        wide = self.spread_match(costs)
        radii = [_scaled(match) for match in (*matches, found)]
        seen = [fine, *looks, torch.cat([*radii, colors - 0.5], 1)]
        raw, *scores = self.trunk(joined(seen), _scaled(wide))
        candidates = torch.cat([match[:, :1] for match in (*matches, wide, found)], 1)
        weights = torch.cat([raw[:, 2:-1], raw[:, -1:] + _LOYALTY * found[:, 1:]], 1).softmax(1)
        radius = (weights * candidates).sum(1, keepdim=True) + 2 * raw[:, :1]
        radius = _mixed(radius, scores, self.neighbors)
        told = (wide[:, 1:] / (wide[:, 1:] + _TOLD)).clamp(min=_TOLD).log()
        limit = self.descriptor.max_radius
        return _answer(radius, raw[:, 1:2] + told, -limit, limit)

    def halves(self, x: Tensor) -> Tensor:
        """What is seen at half size, (N, 15, H / 2, W / 2), channels as in `_HALVES`.

        One convolution in place of averages, weighted means and shuffles: four times faster.
        """
        with torch.autocast(x.device.type, enabled=False):
            return functional.conv2d(x.float(), self.halving, stride=2)

    def costs(self, views: Tensor) -> Tensor:
        """Squared difference of the standardized views at each shift, (N, S, H, W)."""
        reach, width = self.shifts - self.shifts // 2, views.shape[-1]
        left, right = functional.pad(views, (reach, reach, 0, 0), mode="replicate").chunk(2, 1)

        def moved(view: Tensor, by: int) -> Tensor:
            return view[..., reach - by : reach - by + width]

        apart = [
            (moved(left, shift // 2 - shift) - moved(right, shift // 2)).square()
            for shift in range(-self.shifts, self.shifts + 1)
        ]
        # averaged over windows several times faster than in torch's own order
        return torch.cat(apart, 1).contiguous(memory_format=torch.channels_last)

    def spread_match(self, costs: Tensor) -> Tensor:
        """Match of wide windows, averaged over their surroundings where it is clear."""
        radius, clear = _match(box(costs, self.wide)).chunk(2, 1)
        sums = box(torch.cat([radius * clear, clear], 1), self.spread)
        return torch.cat([sums[:, :1] / (sums[:, 1:] + 1e-3), sums[:, 1:]], 1)


def _halving() -> Tensor:
    """Kernels (15, 8, 2, 2) of the convolution in `DualEstimator.halves`."""
    kernels = torch.zeros(sum(_HALVES), 8, 2, 2, device="cpu")
    fine, half, found, colors = torch.split(kernels, _HALVES)
    weights = luma(torch.eye(3, device="cpu")[..., None, None])[:, 0]
    for view, seen in enumerate((slice(0, 3), slice(3, 6))):
        half[view, seen] = weights / 4
        for at in range(4):
            fine[4 * view + at, seen, at // 2, at % 2] = weights[:, 0, 0]
        for color in range(3):
            colors[color, 3 * view + color] = 1 / 8
    for channel in range(2):
        found[channel, 6 + channel] = 1 / 4
    return kernels


def _match(costs: Tensor) -> Tensor:
    """Radius in px of the least cost, and how clear it is, in [0, 1): (N, S, H, W) to (N, 2, H, W).

    A parabola through the least cost and its neighbors gives fractions of a shift.
    """
    best = costs[:, 1:-1].min(1, keepdim=True).indices + 1
    below, at, above = (costs.gather(1, best + step) for step in (-1, 0, 1))
    bend = (below - 2 * at + above).clamp(min=1e-6)
    shift = best - costs.shape[1] // 2 + (0.5 * (below - above) / bend).clamp(-0.5, 0.5)
    mean = costs.mean(1, keepdim=True)
    return torch.cat([_RADIUS_PER_SHIFT * shift, (mean - at) / (mean + _FLAT)], 1)


def _mixed(radius: Tensor, scores: Sequence[Tensor], distances: Sequence[int]) -> Tensor:
    """Radius (N, 1, H, W), mixed with its neighbors', as far away as each pass says.

    The larger a score (N, 9, H, W), the more that neighbor weighs.
    """
    height, width = radius.shape[-2:]
    own = _OWN * radius.new_tensor(_AROUND).eq(0).all(1)[:, None, None]
    for score, distance in zip(scores, distances, strict=True):
        around = functional.pad(radius, (distance,) * 4, mode="replicate")
        radius = torch.zeros_like(radius)
        weights = torch.split((score + own).softmax(1), 1, 1)
        for (y, x), weight in zip(_AROUND, weights, strict=True):
            shifted = around[..., (1 + y) * distance :, (1 + x) * distance :]
            radius.addcmul_(weight, shifted[..., :height, :width])
    return radius


def _channels_first(layer: nn.Conv2d, x: Tensor) -> Tensor:
    """Result of a 1x1 convolution, whose channels are read one by one, in that order in memory."""
    with torch.autocast(x.device.type, enabled=False):  # half precision would be slower
        result = layer.weight.flatten(1) @ x.float().flatten(2)
    if layer.bias is not None:
        result.add_(layer.bias[:, None])
    return result.reshape(len(x), -1, *x.shape[-2:])


def _scaled(found: Tensor) -> Tensor:
    """Radius and confidence, both of the order of 1."""
    return torch.cat([found[:, :1] / _RADIUS_UNIT, found[:, 1:]], 1)


def _answer(radius: Tensor, doubt: Tensor, low: float, high: float) -> Tensor:
    """Radius and confidence at full resolution, linear between half-resolution pixels."""
    both = torch.cat([radius, doubt], 1)
    both = functional.interpolate(both, scale_factor=2, mode="bilinear", align_corners=False)
    return torch.cat([both[:, :1].clamp(low, high), both[:, 1:].sigmoid()], 1)
