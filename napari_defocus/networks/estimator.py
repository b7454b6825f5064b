"""Defocus estimators from one image and from two dual-pixel views.

Both refine an estimate that was made at half the size, so that flat areas get their radius from
surroundings beyond the receptive field.
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
    join_channels,
    local_statistics,
    luma,
    normalize_locally,
)
from napari_defocus.networks.descriptor import Descriptor
from napari_defocus.networks.network import Network
from napari_defocus.optics.kernels import RADIUS_PER_DISPARITY

#: Radius in px per shift of one pixel at half resolution, where the views are compared.
_RADIUS_PER_SHIFT = 2 * RADIUS_PER_DISPARITY
#: Radius in px that the U-Net takes as 1.
_RADIUS_UNIT = 8.0
#: Cost of matching that is added to the mean cost, so that flat areas have no clear match.
_FLAT_COST = 0.02
#: Clearness of matches below which the confidence does not fall further.
_MIN_CLEARNESS = 1e-3
#: Initial logit of the coarser estimate among the candidates, where its confidence is 1.
_PRIOR_LOGIT = 4.0
#: Channels at half size: luma of both views at the four pixels of each, luma of both, radius and
#: confidence of the coarser estimate, colors of both.
_HALVES = [8, 2, 2, 3]
#: Offsets (y, x) of a pixel and its neighbors.
_AROUND = tuple((y, x) for y in (-1, 0, 1) for x in (-1, 0, 1))
#: Initial logit of a pixel's own radius among its neighbors'.
_CENTER_LOGIT = 5.0


class _Trunk(nn.Module):
    """U-Net over half, quarter and eighth resolution; input and output have half resolution.

    Returns `out` channels and, for each pass of mixing, the scores of a pixel and its neighbors.
    `late` input channels join in the decoder: they are features with a wide receptive field, which
    the encoder would widen too far.
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
        bottom = self.from_eighth(self.eighth(self.to_eighth(middle)))
        top = self.from_quarter(self.leave_quarter(bottom.add_(middle))).add_(top)
        del middle, bottom  # the blocks at half size need most memory
        if self.join is not None:
            top = self.join(late).add_(top)
        top = self.leave_half(top)
        return torch.split(_channels_first(self.head, top), self.parts, 1)


class SingleEstimator(Network):
    """Estimate the unsigned radius of all blur, and its confidence, from one image.

    Parameters
    ----------
    neighbors : sequence of int
        Distances, in half-resolution pixels, of the eight neighbors with which the radius of each
        pixel is mixed at the end: one distance a pass, with weights from the U-Net. So pixels
        beside an edge in depth take the radius of their side.
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
            (N, 5, H, W): display-encoded RGB, which is clipped to [0, 1] against hot pixels; radius
            in px and confidence of a coarser estimate, 0 and 0 without one. H, W multiples of 8.

        Returns
        -------
        Tensor
            (N, 2, H, W): radius >= 0 in px, confidence in [0, 1].
        """
        coarse = functional.avg_pool2d(x[:, 3:], 2)
        raw, *scores = self.trunk(torch.cat([_halved_features(x), _to_unit(coarse)], 1))
        radius = functional.softplus(2 * (coarse[:, :1] + raw[:, :1])) / 2
        radius = _mix_neighbors(radius, scores, self.neighbors)
        return _upsample(radius, raw[:, 1:], 0, self.descriptor.max_radius)


class DualEstimator(Network):
    """Estimate the signed blur radius, and its confidence, from two dual-pixel views.

    The views are compared at half resolution over a range of shifts; local normalization removes
    differences in brightness and contrast. Squared differences are averaged over windows of several
    widths. The candidates for the radius are the best match of each width and the coarser estimate.
    A U-Net, which also takes colors and texture, weights them for every pixel and corrects them.

    Parameters
    ----------
    shifts : int
        Largest shift tried between the views, in half-resolution pixels, to either side.
    normalize_half : int
        Half-width of the local normalization, in half-resolution pixels. It is as wide as the
        blur, because in narrower windows noise outweighs the remaining texture.
    windows : sequence of int
        Half-widths, in half-resolution pixels, of the windows over which differences are averaged.
    wide, spread : int
        Half-widths, in half-resolution pixels, of the widest windows, and of the windows over
        which their matches are averaged, weighted by clearness.
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
        count = len(self.windows)
        channels = 8 + count * (2 * shifts + 1) + 2 * count + 2 + 3
        self.trunk = _Trunk(channels, count + 4, len(self.neighbors), widths, blocks, late=2)

    def forward(self, x: Tensor) -> Tensor:
        """Estimate.

        Parameters
        ----------
        x : Tensor
            (N, 8, H, W): left view's RGB, right view's RGB, display-encoded; signed radius in px
            and confidence of a coarser estimate, 0 and 0 without one. H, W multiples of 8.

        Returns
        -------
        Tensor
            (N, 2, H, W): signed radius in px (> 0 where the left view's content lies to the right
            of the right view's), confidence in [0, 1].
        """
        fine, half, coarse, colors = torch.split(self.halves(x), _HALVES, 1)
        mean, deviation = local_statistics(half, self.normalize_half)
        fine = fine - mean.repeat_interleave(4, 1)
        fine = fine / deviation.repeat_interleave(4, 1)
        costs = self.costs((half - mean) / deviation)
        averages = [box(costs, width) for width in self.windows]
        matches = [_match(average) for average in averages]
        wide = self.spread_match(costs)
        radii = [_to_unit(match) for match in (*matches, coarse)]
        features = [fine, *averages, torch.cat([*radii, colors - 0.5], 1)]
        raw, *scores = self.trunk(join_channels(features), _to_unit(wide))
        candidates = torch.cat([match[:, :1] for match in (*matches, wide, coarse)], 1)
        prior = raw[:, -1:] + _PRIOR_LOGIT * coarse[:, 1:]
        weights = torch.cat([raw[:, 2:-1], prior], 1).softmax(1)
        radius = (weights * candidates).sum(1, keepdim=True) + 2 * raw[:, :1]
        radius = _mix_neighbors(radius, scores, self.neighbors)
        clear = (wide[:, 1:] / (wide[:, 1:] + _MIN_CLEARNESS)).clamp(min=_MIN_CLEARNESS).log()
        limit = self.descriptor.max_radius
        return _upsample(radius, raw[:, 1:2] + clear, -limit, limit)

    def halves(self, x: Tensor) -> Tensor:
        """Return the features of half size (N, 15, H / 2, W / 2); channels as in `_HALVES`.

        One convolution replaces averages, weighted means and shuffles: four times faster.
        """
        with torch.autocast(x.device.type, enabled=False):
            return functional.conv2d(x.float(), self.halving, stride=2)

    def costs(self, views: Tensor) -> Tensor:
        """Return the squared difference (N, S, H, W) of the normalized views at each shift."""
        reach, width = self.shifts - self.shifts // 2, views.shape[-1]
        left, right = functional.pad(views, (reach, reach, 0, 0), mode="replicate").chunk(2, 1)

        def shift_view(view: Tensor, by: int) -> Tensor:
            return view[..., reach - by : reach - by + width]

        differences = [
            (shift_view(left, shift // 2 - shift) - shift_view(right, shift // 2)).square()
            for shift in range(-self.shifts, self.shifts + 1)
        ]
        # windows are averaged several times faster with channels last in memory
        return torch.cat(differences, 1).contiguous(memory_format=torch.channels_last)

    def spread_match(self, costs: Tensor) -> Tensor:
        """Return the match of wide windows, averaged over the surroundings with clear matches."""
        radius, clear = _match(box(costs, self.wide)).chunk(2, 1)
        sums = box(torch.cat([radius * clear, clear], 1), self.spread)
        return torch.cat([sums[:, :1] / (sums[:, 1:] + 1e-3), sums[:, 1:]], 1)


def _halved_features(x: Tensor) -> Tensor:
    """Return colors and texture of an image, at half size (N, 16, H / 2, W / 2)."""
    picture = x[:, :3].clamp(0, 1)
    features = torch.cat([picture - 0.5, normalize_locally(luma(picture), 4)], 1)
    return functional.pixel_unshuffle(features, 2)


def _halving() -> Tensor:
    """Return the kernels (15, 8, 2, 2) of the convolution in `DualEstimator.halves`."""
    kernels = torch.zeros(sum(_HALVES), 8, 2, 2, device="cpu", dtype=torch.float32)
    fine, half, coarse, colors = torch.split(kernels, _HALVES)
    weights = luma(torch.eye(3, device="cpu", dtype=torch.float32)[..., None, None])[:, 0]
    for view, rgb in enumerate((slice(0, 3), slice(3, 6))):
        half[view, rgb] = weights / 4
        for at in range(4):
            fine[4 * view + at, rgb, at // 2, at % 2] = weights[:, 0, 0]
        for color in range(3):
            colors[color, 3 * view + color] = 1 / 8
    for channel in range(2):
        coarse[channel, 6 + channel] = 1 / 4
    return kernels


def _match(costs: Tensor) -> Tensor:
    """Return radius in px and clearness in [0, 1), (N, 2, H, W), of the least cost (N, S, H, W).

    A parabola through the least cost and its neighbors refines it to fractions of a shift.
    """
    best = costs[:, 1:-1].min(1, keepdim=True).indices + 1
    below, at, above = (costs.gather(1, best + step) for step in (-1, 0, 1))
    bend = (below - 2 * at + above).clamp(min=1e-6)
    shift = best - costs.shape[1] // 2 + (0.5 * (below - above) / bend).clamp(-0.5, 0.5)
    mean = costs.mean(1, keepdim=True)
    return torch.cat([_RADIUS_PER_SHIFT * shift, (mean - at) / (mean + _FLAT_COST)], 1)


def _mix_neighbors(radius: Tensor, scores: Sequence[Tensor], distances: Sequence[int]) -> Tensor:
    """Return the radius (N, 1, H, W) mixed with those of neighbors, one distance a pass.

    The weights are the softmax over the scores (N, 9, H, W) of a pixel and its neighbors.
    """
    height, width = radius.shape[-2:]
    is_center = radius.new_tensor(_AROUND).eq(0).all(1)[:, None, None]
    center = _CENTER_LOGIT * is_center.to(radius.dtype)
    for score, distance in zip(scores, distances, strict=True):
        around = functional.pad(radius, (distance,) * 4, mode="replicate")
        radius = torch.zeros_like(radius)
        weights = torch.split((score + center).softmax(1), 1, 1)
        for (y, x), weight in zip(_AROUND, weights, strict=True):
            shifted = around[..., (1 + y) * distance :, (1 + x) * distance :]
            radius.addcmul_(weight, shifted[..., :height, :width])
    return radius


def _channels_first(layer: nn.Conv2d, x: Tensor) -> Tensor:
    """Return the result of a 1x1 convolution with channels first in memory, to be read singly."""
    with torch.autocast(x.device.type, enabled=False):  # half precision would be slower
        result = layer.weight.flatten(1) @ x.float().flatten(2)
    if layer.bias is not None:
        result.add_(layer.bias[:, None])
    return result.reshape(len(x), -1, *x.shape[-2:])


def _to_unit(estimate: Tensor) -> Tensor:
    """Return radius and confidence, both of the order of 1."""
    return torch.cat([estimate[:, :1] / _RADIUS_UNIT, estimate[:, 1:]], 1)


def _upsample(radius: Tensor, logit: Tensor, low: float, high: float) -> Tensor:
    """Return radius and confidence at full resolution, by linear interpolation."""
    both = torch.cat([radius, logit], 1)
    both = functional.interpolate(both, scale_factor=2, mode="bilinear", align_corners=False)
    return torch.cat([both[:, :1].clamp(low, high), both[:, 1:].sigmoid()], 1)
