"""The deblurring network, guided by the defocus map."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from napari_defocus.networks.blocks import Down, GatedBlock, Up, row_strips
from napari_defocus.networks.descriptor import Descriptor
from napari_defocus.networks.network import Network
from napari_defocus.optics.convolution import BlockConvolution
from napari_defocus.optics.inverse import inverse_bank
from napari_defocus.optics.kernels import disks
from napari_defocus.optics.light import decode_srgb, encode_srgb
from napari_defocus.optics.reblur import interpolated_reblur

#: Radii in pixels at which the bins of `half_size_condition` peak.
KNOTS = (0.0, 1.0, 2.0, 3.0, 4.5, 7.0, 11.0, 16.0, 24.0)
#: Largest radius in px by which results are blurred again; larger radii occur at coarser levels.
_REBLURRED_UP_TO = 10


class Generator(Network):
    """Blend inverse-filtered images and add a residual, except in focus.

    The image is inverse-filtered in linear light for a few radii. A U-Net takes the image and the
    results; radius and confidence modulate every block. For each pixel it returns blending weights
    and a residual: output = input + gate * (blend - input + residual). The gate is 0 in focus and
    at low confidence, because deblurring by a wrong radius is worse than none.

    Parameters
    ----------
    width : int
        Channels at half resolution; doubled at each of the two coarser levels.
    blocks : sequence of int
        Blocks at half, quarter, eighth, quarter and half resolution.
    radii : sequence of float
        Radii in pixels for which the image is inverse-filtered.
    inverse_half : int
        Half-width in pixels of the inverse kernels.
    caution : float
        Share of the change, in [0, 1], that is left out at a confidence of 0; at 1 nothing is.
        The less certain a radius is, the less of the change is right on average.
    consistency : float
        Share, in [0, 1], that is added back of the difference between the image and the result
        blurred again by the map. That difference holds the image's own grain, which deblurring may
        have smoothed.
    landweber : bool
        Whether that difference is blurred by the map before it is added back, as in Landweber's
        iteration. It then holds no grain, and nothing in bands that the blur has erased.
    """

    descriptor = Descriptor("deblur", receptive_radius=64, multiple=8)

    def __init__(
        self,
        width: int = 32,
        blocks: Sequence[int] = (1, 1, 2, 2, 2),
        radii: Sequence[float] = (1.2, 2.0, 3.2, 5.0, 7.5, 11.0),
        inverse_half: int = 18,
        caution: float = 0.0,
        consistency: float = 0.0,
        landweber: bool = False,
    ) -> None:
        super().__init__()
        self.register_buffer("inverses", inverse_bank(tuple(radii), inverse_half), persistent=False)
        self.inverses: Tensor
        self.bins = len(radii)
        self.caution = caution
        self.consistency = consistency
        self.landweber = landweber
        self.register_buffer("disks", disks(_REBLURRED_UP_TO), persistent=False)
        self.disks: Tensor
        condition = len(KNOTS) + 1

        def stage(count: int, channels: int) -> nn.ModuleList:
            return nn.ModuleList(
                GatedBlock(channels, 2 * channels, condition) for _ in range(count)
            )

        self.stem = nn.Conv2d(12 * (1 + self.bins), width, 3, padding=1)
        self.enter_half = stage(blocks[0], width)
        self.to_quarter = Down(width, 2 * width)
        self.enter_quarter = stage(blocks[1], 2 * width)
        self.to_eighth = Down(2 * width, 4 * width)
        self.eighth = stage(blocks[2], 4 * width)
        self.from_eighth = Up(4 * width, 2 * width)
        self.leave_quarter = stage(blocks[3], 2 * width)
        self.from_quarter = Up(2 * width, width)
        self.leave_half = stage(blocks[4], width)
        self.head = nn.Conv2d(width, 4 * (1 + self.bins + 3), 1)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        """Deblur.

        Parameters
        ----------
        x : Tensor
            (N, 5, H, W): display-encoded RGB, radius in px, confidence; H, W multiples of 8.

        Returns
        -------
        Tensor
            (N, 3, H, W) display-encoded RGB.
        """
        image, radius, confidence = x[:, :3], x[:, 3:4].abs(), x[:, 4:5]
        changes, features = self.inverse_changes(image)
        decision = self.decide(features, radius, confidence)
        del features
        confidence_weight = confidence_gate(confidence) * (1 - self.caution * (1 - confidence))
        change = self.blend(changes, decision)
        result = image + defocus_gate(radius) * confidence_weight * change
        if self.consistency:
            share = self.consistency * consistency_gate(radius) * confidence_weight
            result = result + share * self.reblur_error(image, result, radius)
        return result

    def inverse_changes(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Return the change by each inverse filter, and what the U-Net takes, display-encoded.

        The first is (N, bins, 3, H, W), the second (N, 12 (1 + bins), H / 2, W / 2): image and
        changes, each pixel's four neighbors as channels.
        """
        count, colors, height, width = image.shape
        changes = image.new_empty(count, self.bins, colors, height, width, dtype=torch.float32)
        features = image.new_empty(count, height // 2, width // 2, 4 * colors * (1 + self.bins))
        features = features.permute(0, 3, 1, 2)  # channels last in memory
        features[:, : 4 * colors] = functional.pixel_unshuffle(image - 0.5, 2)
        is_gray = bool((image[:, 1:] == image[:, :1]).all())
        different = image[:, :1] if is_gray else image  # of equal channels, one is filtered
        with torch.autocast(image.device.type, enabled=False), torch.no_grad():
            convolution = BlockConvolution(decode_srgb(different.float()), self.inverses)
            for rows, columns in convolution.windows:
                filtered = encode_srgb(convolution.at((rows, columns))).clamp_(-0.25, 1.25)
                part = filtered.sub_(different[:, None, :, rows, columns])
                part = part.expand(-1, -1, colors, -1, -1)
                changes[..., rows, columns] = part
                unshuffled = functional.pixel_unshuffle(part.flatten(1, 2), 2)
                features[:, 4 * colors :, _halve(rows), _halve(columns)] = unshuffled
        return changes, features

    def blend(self, changes: Tensor, decision: Tensor) -> Tensor:
        """Return the sum of weighted changes and the residual, (N, 3, H, W)."""
        scores, residual = decision[:, : 1 + self.bins], decision[:, 1 + self.bins :]
        blend = torch.empty_like(residual)
        for rows in row_strips(residual.shape[-2]):
            weights = scores[..., rows, :].softmax(1)[:, 1:]
            weighted = weights[:, :, None] * changes[..., rows, :]
            blend[..., rows, :] = weighted.sum(1) + residual[..., rows, :]
        return blend

    def reblur_error(self, image: Tensor, result: Tensor, radius: Tensor) -> Tensor:
        """Return the image minus the result blurred again, (N, 3, H, W), display-encoded."""
        with torch.autocast(image.device.type, enabled=False):
            clipped = radius.clamp(max=_REBLURRED_UP_TO)
            kernels = self.disks[: int(clipped.max().ceil()) + 1]
            again = interpolated_reblur(decode_srgb(result.float()), clipped, kernels)
            error = image - encode_srgb(again)
            return interpolated_reblur(error, clipped, kernels) if self.landweber else error

    def decide(self, features: Tensor, radius: Tensor, confidence: Tensor) -> Tensor:
        """Return blending scores and residual, (N, 1 + bins + 3, H, W), from image and map."""
        top = self.stem(features)
        half = half_size_condition(radius, confidence)
        quarter = functional.avg_pool2d(half, 2)
        eighth = functional.avg_pool2d(quarter, 2)
        top = _run(self.enter_half, top, half)
        middle = _run(self.enter_quarter, self.to_quarter(top), quarter)
        bottom = _run(self.eighth, self.to_eighth(middle), eighth)
        middle = _run(self.leave_quarter, self.from_eighth(bottom).add_(middle), quarter)
        top = _run(self.leave_half, self.from_quarter(middle).add_(top), half)
        return functional.pixel_shuffle(self.head(top), 2).float()


def defocus_gate(radius: Tensor) -> Tensor:
    """Return a smooth gate: 0 up to 0.25 px, 1 from 0.75 px on."""
    return smoothstep(radius, 0.25, 0.75)


def consistency_gate(radius: Tensor) -> Tensor:
    """Return a smooth gate: 0 up to 0.5 px, 1 from 1.5 px on, 0 beyond the reblurred radii."""
    return smoothstep(radius, 0.5, 1.5) * (
        1 - smoothstep(radius, _REBLURRED_UP_TO - 2, _REBLURRED_UP_TO)
    )


def confidence_gate(confidence: Tensor) -> Tensor:
    """Return a gate: 0 up to a confidence of 0.1, 1 from 0.3 on."""
    return ((confidence - 0.1) / 0.2).clamp(0, 1)


def half_size_condition(radius: Tensor, confidence: Tensor) -> Tensor:
    """Return bins of the radius and the confidence, as means of 2x2 pixels.

    The bins (N, B, H / 2, W / 2) are overlapping triangles that peak at `KNOTS`; their sum is 1.
    """
    knots = torch.tensor(KNOTS, device=radius.device, dtype=radius.dtype)
    slopes = 1 / knots.diff()[:, None, None]
    starts = knots[:-1, None, None] * slopes
    strips = []
    for rows in row_strips(radius.shape[-2]):
        rising = (radius[..., rows, :] * slopes - starts).clamp(0, 1)
        both = torch.cat([rising, confidence[..., rows, :]], 1)
        pairs = both[..., ::2, :] + both[..., 1::2, :]  # faster than pooling
        strips.append((pairs[..., ::2] + pairs[..., 1::2]).mul_(0.25))
    means = torch.cat(strips, -2)
    rising, mean_confidence = means[:, :-1], means[:, -1:]
    above = functional.pad(rising, (0, 0, 0, 0, 1, 0), value=1.0)
    below = functional.pad(rising, (0, 0, 0, 0, 0, 1), value=0.0)
    return torch.cat([above - below, mean_confidence], 1)


def smoothstep(radius: Tensor, start: float, end: float) -> Tensor:
    """Return a smooth gate: 0 up to `start`, 1 from `end` on."""
    ramp = ((radius - start) / (end - start)).clamp(0, 1)
    return ramp * ramp * (3 - 2 * ramp)


def _halve(part: slice) -> slice:
    """Return the rows or columns of half size that show a part."""
    return slice(part.start // 2, part.stop // 2)


def _run(stage: nn.ModuleList, x: Tensor, condition: Tensor) -> Tensor:
    for block in stage:
        x = block(x, condition)
    return x
