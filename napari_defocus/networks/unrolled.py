"""The deblurring network whose steps blur their result again and learn from the difference."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from napari_defocus.networks.blocks import Down, GatedBlock, Up
from napari_defocus.networks.descriptor import Descriptor
from napari_defocus.networks.generator import (
    KNOTS,
    confidence_gate,
    defocus_gate,
    half_size_condition,
    smoothstep,
)
from napari_defocus.networks.network import Network
from napari_defocus.optics.convolution import convolve
from napari_defocus.optics.inverse import inverse_bank
from napari_defocus.optics.kernels import disks
from napari_defocus.optics.light import decode_srgb, encode_srgb
from napari_defocus.optics.reblur import interpolated_reblur

#: Largest radius in px by which results are blurred again, and where that begins to fade out;
#: larger radii occur at coarser levels.
_REBLURRED_UP_TO, _FADES_FROM = 8, 6


class UnrolledGenerator(Network):
    """Deconvolve in a few steps, each followed by a small learned prior that all steps share.

    The first step blends inverse-filtered images. Each further one blurs its result again by the
    map's own kernels, adds a share of the difference from the image, and what the prior, which sees
    image, result and difference, makes of it: output = input + gate * (sum of the changes). The
    gate is 0 in focus and at low confidence.

    Parameters
    ----------
    width : int
        Channels at half resolution; doubled at a quarter.
    blocks : sequence of int
        Blocks at half, quarter and half resolution.
    steps : int
        Steps, the first included.
    radii : sequence of float
        Radii in pixels for which the image is inverse-filtered.
    inverse_half : int
        Half-width in pixels of the inverse kernels.
    caution : float
        Share of the change, in [0, 1], that is left out at a confidence of 0.
    """

    descriptor = Descriptor("deblur", receptive_radius=64, multiple=8)

    def __init__(
        self,
        width: int = 32,
        blocks: Sequence[int] = (1, 2, 1),
        steps: int = 2,
        radii: Sequence[float] = (1.2, 2.0, 3.2, 5.0, 7.5, 11.0),
        inverse_half: int = 18,
        caution: float = 0.0,
    ) -> None:
        super().__init__()
        self.register_buffer("inverses", inverse_bank(tuple(radii), inverse_half), persistent=False)
        self.inverses: Tensor
        self.register_buffer("disks", disks(_REBLURRED_UP_TO), persistent=False)
        self.disks: Tensor
        self.bins, self.steps, self.caution = len(radii), steps, caution
        condition = len(KNOTS) + 1

        def stage(count: int, channels: int) -> nn.ModuleList:
            return nn.ModuleList(
                GatedBlock(channels, 2 * channels, condition) for _ in range(count)
            )

        self.stem = nn.Conv2d(3 * 12, width, 3, padding=1)
        self.inverse_stem = nn.Conv2d(12 * self.bins, width, 1)
        self.enter_half = stage(blocks[0], width)
        self.to_quarter = Down(width, 2 * width)
        self.quarter = stage(blocks[1], 2 * width)
        self.from_quarter = Up(2 * width, width)
        self.leave_half = stage(blocks[2], width)
        self.blend_head = nn.Conv2d(width, 4 * (1 + self.bins), 1)
        self.head = nn.Conv2d(width, 4 * (1 + 3), 1)
        for head in (self.blend_head, self.head):
            nn.init.zeros_(head.weight)
            nn.init.zeros_(head.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        """Deblur, as `Generator.forward`."""
        image, radius, confidence = x[:, :3], x[:, 3:4].abs(), x[:, 4:5]
        gate = defocus_gate(radius) * confidence_gate(confidence)
        gate = gate * (1 - self.caution * (1 - confidence))
        condition = half_size_condition(radius, confidence)
        reblurred = gate * (1 - smoothstep(radius, _FADES_FROM, _REBLURRED_UP_TO))
        changes = self.inverse_changes(image)
        result = image
        for step in range(self.steps):
            error = torch.zeros_like(image)
            if step:
                error = reblurred * self.reblur_error(image, result, radius)
            features = self.prior(image, result, error, condition, None if step else changes)
            residual, share = (
                functional.pixel_shuffle(self.head(features), 2).float().split([3, 1], 1)
            )
            change = residual + (0.5 + share) * error
            if not step:
                scores = functional.pixel_shuffle(self.blend_head(features), 2).float()
                weights = scores.softmax(1)[:, 1:]
                change = change + (weights[:, :, None] * changes).sum(1)
            result = result + gate * change
        return result

    def inverse_changes(self, image: Tensor) -> Tensor:
        """Return the change by each inverse filter, display-encoded, (N, bins, 3, H, W)."""
        with torch.autocast(image.device.type, enabled=False), torch.no_grad():
            filtered = convolve(decode_srgb(image.float()), self.inverses)
            return encode_srgb(filtered).clamp_(-0.25, 1.25).sub_(image[:, None])

    def reblur_error(self, image: Tensor, result: Tensor, radius: Tensor) -> Tensor:
        """Return the image minus the result blurred again, (N, 3, H, W), display-encoded."""
        with torch.autocast(image.device.type, enabled=False):
            clipped = radius.float().clamp(max=_REBLURRED_UP_TO)
            kernels = self.disks[: int(clipped.detach().max().ceil()) + 1]
            again = interpolated_reblur(decode_srgb(result.float()), clipped, kernels)
            return image - encode_srgb(again)

    def prior(
        self, image: Tensor, result: Tensor, error: Tensor, half: Tensor, changes: Tensor | None
    ) -> Tensor:
        """Return features (N, width, H / 2, W / 2); `half` is the condition at half resolution."""
        pictures = torch.cat([image - 0.5, result - 0.5, error], 1)
        top: Tensor = self.stem(functional.pixel_unshuffle(pictures, 2))
        if changes is not None:
            top = top + self.inverse_stem(functional.pixel_unshuffle(changes.flatten(1, 2), 2))
        for block in self.enter_half:
            top = block(top, half)
        quarter = functional.avg_pool2d(half, 2)
        middle = self.to_quarter(top)
        for block in self.quarter:
            middle = block(middle, quarter)
        top = self.from_quarter(middle) + top
        for block in self.leave_half:
            top = block(top, half)
        return top
