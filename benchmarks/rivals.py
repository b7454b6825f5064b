"""Networks to compare speed with, of published sizes and with random weights.

Written from the descriptions of Restormer (Zamir et al., CVPR 2022) and NAFNet (Chen et al., ECCV
2022), in the sizes that both report for deblurring.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional


class Restormer(nn.Module):
    """Four levels of transformer blocks that attend across channels."""

    def __init__(self, width: int = 48) -> None:
        super().__init__()
        widths = [width, 2 * width, 4 * width, 8 * width]
        counts, heads = (4, 6, 6, 8), (1, 2, 4, 8)
        self.embed = nn.Conv2d(3, width, 3, padding=1, bias=False)
        self.encoder = nn.ModuleList(
            _transformers(channels, head, count)
            for channels, head, count in zip(widths, heads, counts, strict=True)
        )
        self.down = nn.ModuleList(
            nn.Sequential(nn.Conv2d(c, c // 2, 3, padding=1, bias=False), nn.PixelUnshuffle(2))
            for c in widths[:3]
        )
        self.up = nn.ModuleList(
            nn.Sequential(nn.Conv2d(c, 2 * c, 3, padding=1, bias=False), nn.PixelShuffle(2))
            for c in widths[1:]
        )
        self.reduce = nn.ModuleList(
            nn.Conv2d(2 * c, c, 1, bias=False) if c > width else nn.Identity() for c in widths[:3]
        )
        finest = 2 * width
        self.decoder = nn.ModuleList(
            _transformers(channels, head, count)
            for channels, head, count in zip(
                (finest, *widths[1:3]), heads[:3], counts[:3], strict=True
            )
        )
        self.refine = _transformers(finest, 1, 4)
        self.output = nn.Conv2d(finest, 3, 3, padding=1, bias=False)

    def forward(self, image: Tensor) -> Tensor:
        """Return an image (N, 3, H, W); H and W are multiples of 8."""
        x, skips = self.embed(image), []
        for level, stage in enumerate(self.encoder):
            x = stage(x)
            if level < 3:
                skips.append(x)
                x = self.down[level](x)
        for level in (2, 1, 0):
            x = self.reduce[level](torch.cat([self.up[level](x), skips[level]], 1))
            x = self.decoder[level](x)
        restored: Tensor = self.output(self.refine(x)) + image
        return restored


def _transformers(channels: int, heads: int, count: int) -> nn.Sequential:
    return nn.Sequential(*(_Transformer(channels, heads) for _ in range(count)))


class _Transformer(nn.Module):
    """Attention across channels, then a gated feed-forward network."""

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        hidden = int(2.66 * channels)
        self.heads = heads
        self.scale = nn.Parameter(torch.ones(heads, 1, 1))
        self.norms = nn.ModuleList(nn.LayerNorm(channels) for _ in range(2))
        self.triple = _spread(channels, 3 * channels)
        self.project = nn.Conv2d(channels, channels, 1, bias=False)
        self.gate = _spread(channels, 2 * hidden)
        self.shrink = nn.Conv2d(hidden, channels, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.project(self._attend(_normalize(self.norms[0], x)))
        first, second = self.gate(_normalize(self.norms[1], x)).chunk(2, 1)
        change: Tensor = self.shrink(functional.gelu(first) * second)
        return x + change

    def _attend(self, x: Tensor) -> Tensor:
        heads = [part.flatten(2) for part in self.triple(x).chunk(3, 1)]
        query, key, value = (part.unflatten(1, (self.heads, -1)) for part in heads)
        query, key = functional.normalize(query, dim=-1), functional.normalize(key, dim=-1)
        weights = (query @ key.transpose(-2, -1) * self.scale).softmax(-1)
        return (weights @ value).flatten(1, 2).unflatten(2, x.shape[-2:])


def _spread(channels: int, out: int) -> nn.Sequential:
    """Return a 1x1 convolution and a 3x3 one of each channel by itself."""
    return nn.Sequential(
        nn.Conv2d(channels, out, 1, bias=False),
        nn.Conv2d(out, out, 3, padding=1, groups=out, bias=False),
    )


def _normalize(norm: nn.Module, x: Tensor) -> Tensor:
    """Normalize the channels of every pixel."""
    normalized: Tensor = norm(x.permute(0, 2, 3, 1))
    return normalized.permute(0, 3, 1, 2)


class NAFNet(nn.Module):
    """U-Net of blocks whose only non-linearity is a product of channels."""

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        widths = [width * 2**level for level in range(5)]
        counts = (1, 1, 1, 28)
        self.embed = nn.Conv2d(3, width, 3, padding=1)
        self.encoder = nn.ModuleList(
            nn.Sequential(*(_NAFBlock(channels) for _ in range(count)))
            for channels, count in zip(widths[:4], counts, strict=True)
        )
        self.down = nn.ModuleList(nn.Conv2d(c, 2 * c, 2, stride=2) for c in widths[:4])
        self.middle = _NAFBlock(widths[4])
        self.up = nn.ModuleList(
            nn.Sequential(nn.Conv2d(2 * c, 4 * c, 1, bias=False), nn.PixelShuffle(2))
            for c in widths[:4]
        )
        self.decoder = nn.ModuleList(_NAFBlock(c) for c in widths[:4])
        self.output = nn.Conv2d(width, 3, 3, padding=1)

    def forward(self, image: Tensor) -> Tensor:
        """Return an image (N, 3, H, W); H and W are multiples of 16."""
        x, skips = self.embed(image), []
        for stage, down in zip(self.encoder, self.down, strict=True):
            skips.append(stage(x))
            x = down(skips[-1])
        x = self.middle(x)
        for level in (3, 2, 1, 0):
            x = self.decoder[level](self.up[level](x) + skips[level])
        restored: Tensor = self.output(x) + image
        return restored


class _NAFBlock(nn.Module):
    """Depthwise convolution, gate and channel attention; then a gated pair of 1x1 convolutions."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norms = nn.ModuleList(nn.LayerNorm(channels) for _ in range(2))
        self.spread = nn.Sequential(
            nn.Conv2d(channels, 2 * channels, 1),
            nn.Conv2d(2 * channels, 2 * channels, 3, padding=1, groups=2 * channels),
        )
        self.attention = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(channels, channels, 1))
        self.project = nn.Conv2d(channels, channels, 1)
        self.widen = nn.Conv2d(channels, 2 * channels, 1)
        self.shrink = nn.Conv2d(channels, channels, 1)
        self.shares = nn.Parameter(torch.zeros(2, channels, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        features = _gate(self.spread(_normalize(self.norms[0], x)))
        x = x + self.shares[0] * self.project(features * self.attention(features))
        change = self.shrink(_gate(self.widen(_normalize(self.norms[1], x))))
        return x + self.shares[1] * change


def _gate(x: Tensor) -> Tensor:
    first, second = x.chunk(2, 1)
    return first * second
