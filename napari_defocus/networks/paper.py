"""Published generator, for comparisons on the same data and budget.

After Zhai et al., "Learnable Blur Kernel for Single-Image Defocus Deblurring in the Wild" (AAAI
2023), from its description. Its channel attention averages over its whole input, so that tiles only
approximate the whole image.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from napari_defocus.networks.descriptor import Descriptor
from napari_defocus.networks.network import Network

#: Attention blocks of each branch of a stage.
_BRANCH_BLOCKS = (0, 1, 2, 3)
#: Radii in pixels between the bins, one a branch, by which the map gates the branches.
_BIN_EDGES = (1.9, 4.2, 6.2)
_STAGES = 8
#: Factors by which the image is shrunk, in the order of processing.
_SCALES = (8, 4, 1)


class PaperGenerator(Network):
    """Four-branch trunk of eight stages, run at three scales with shared weights.

    Parameters
    ----------
    width : int
        Channels; 64 as published.

    Attributes
    ----------
    guidance : float
        Strength, in [0, 1], with which the radius bins of the map gate the branches. As published,
        training anneals it to 0, and inference uses 0.
    """

    descriptor = Descriptor("deblur", receptive_radius=64, multiple=128)

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        self.guidance = 0.0
        self.head = nn.Conv2d(3, width, 3, padding=1)
        self.stages = nn.ModuleList(_Stage(width) for _ in range(_STAGES))
        self.fuse = nn.ModuleList(nn.Conv2d(2 * width, width, 1) for _ in _SCALES[1:])
        self.tail = nn.Conv2d(width, 3, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Deblur (N, 5, H, W): display-encoded RGB, radius, confidence; H, W multiples of 128."""
        image, radius = x[:, :3], x[:, 3:4].abs()
        features = self.trunk(
            functional.avg_pool2d(image, _SCALES[0]), functional.avg_pool2d(radius, _SCALES[0])
        )
        for scale, fuse in zip(_SCALES[1:], self.fuse, strict=True):
            finer = self.trunk(
                functional.avg_pool2d(image, scale), functional.avg_pool2d(radius, scale)
            )
            features = fuse(torch.cat([finer, _resize_like(features, finer)], 1))
        restored: Tensor = self.tail(features).sigmoid()
        return restored.float()

    def trunk(self, image: Tensor, radius: Tensor) -> Tensor:
        """Return the features (N, width, H, W) of one scale."""
        x: Tensor = self.head(image)
        skips = [x]
        half = _STAGES // 2
        for stage in self.stages[:half]:
            x = stage(functional.max_pool2d(x, 2), radius, self.guidance)
            skips.append(x)
        skips.pop()
        for stage in self.stages[half:]:
            skip = skips.pop()
            x = stage(_resize_like(x, skip) + skip, radius, self.guidance)
        return x


class _Stage(nn.Module):
    """Four parallel groups of 0, 1, 2 and 3 residual channel-attention blocks, fused."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.branches = nn.ModuleList(
            nn.Sequential(
                *(_AttentionBlock(width) for _ in range(count)),
                nn.Conv2d(width, width, 3, padding=1),
            )
            for count in _BRANCH_BLOCKS
        )
        self.fuse = nn.Conv2d(len(_BRANCH_BLOCKS) * width, width, 1)

    def forward(self, x: Tensor, radius: Tensor, guidance: float) -> Tensor:
        gates = _bin_masks(functional.adaptive_avg_pool2d(radius, (x.shape[-2], x.shape[-1])))
        gates = guidance * gates + 1 - guidance
        branches = [branch(x) * gates[:, i : i + 1] for i, branch in enumerate(self.branches)]
        fused: Tensor = self.fuse(torch.cat(branches, 1))
        return x + fused


class _AttentionBlock(nn.Module):
    """Residual block with channel attention."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(width, width, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, padding=1),
        )
        self.attention = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Conv2d(width, max(width // 16, 1), 1),
            nn.ReLU(),
            nn.Conv2d(max(width // 16, 1), width, 1),
            nn.Sigmoid(),
        )

    def forward(self, x: Tensor) -> Tensor:
        body = self.body(x)
        result: Tensor = x + body * self.attention(body)
        return result


def _bin_masks(radius: Tensor) -> Tensor:
    """Return the radius bin of each pixel as one-hot vectors (N, 4, H, W)."""
    edges = torch.tensor(_BIN_EDGES, device=radius.device, dtype=radius.dtype)
    index = torch.bucketize(radius[:, 0].contiguous(), edges)
    return functional.one_hot(index, len(_BRANCH_BLOCKS)).permute(0, 3, 1, 2).float()


def _resize_like(x: Tensor, like: Tensor) -> Tensor:
    return functional.interpolate(x, like.shape[-2:], mode="bilinear", align_corners=False)
