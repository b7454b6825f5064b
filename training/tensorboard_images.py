"""Pictures of kernels and maps for TensorBoard, (3, H, W) in [0, 1]."""

import numpy as np
import torch
from torch import Tensor

from napari_defocus.map_colors import paint_map
from napari_defocus.optics.bank import KernelBank
from napari_defocus.optics.kernels import mirror

_COLUMNS = 8


@torch.no_grad()
def kernel_image(bank: KernelBank, first: int = 1) -> Tensor:
    """Draw all kernels of a bank by radius: the left view's, and below it the whole pupil's."""
    stored = bank.views(in_front=True)[0][first:]
    whole = (stored + mirror(stored)) / 2
    tiles = torch.cat([stored, whole], 1)
    tiles = tiles / tiles.amax((1, 2), keepdim=True)
    tiles = torch.nn.functional.pad(tiles, (1, 1, 1, 1), value=0.3)
    empty = -len(tiles) % _COLUMNS
    tiles = torch.cat([tiles, torch.full((empty, *tiles.shape[1:]), 0.3)])
    rows = [torch.cat(list(row), 1) for row in torch.split(tiles, _COLUMNS)]
    return torch.cat(rows).expand(3, -1, -1)


def map_image(radius: Tensor, limit: float | None = None) -> Tensor:
    """Draw a map (H, W) of signed radii in px in the plugin's colors."""
    painted = paint_map(radius.float().cpu().numpy(), signed=True, limit=limit)
    return torch.from_numpy(np.ascontiguousarray(painted.transpose(2, 0, 1))).float() / 255
