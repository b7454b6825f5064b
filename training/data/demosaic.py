"""Demosaicing: the softness of colors that were measured through a Bayer mosaic."""

import torch
from torch import Tensor
from torch.nn import functional

_GREEN = torch.tensor([[0.0, 1.0, 0.0], [1.0, 4.0, 1.0], [0.0, 1.0, 0.0]]) / 4
_OTHERS = torch.tensor([[1.0, 2.0, 1.0], [2.0, 4.0, 2.0], [1.0, 2.0, 1.0]]) / 4
#: Radius in px of the disk as wide, in mean square, as the mean kernel of `demosaic`, colors
#: weighted as in luma: along an axis, green's has the variance 1/4 and the others' 1/2.
DEMOSAICED = 2 * (0.7152 / 4 + 0.2848 / 2) ** 0.5
#: Layouts of the Bayer pattern: red at even or odd rows, and at even or odd columns.
LAYOUTS = 4


def demosaic(image: Tensor, layout: Tensor) -> Tensor:
    """Keep one color of every pixel and fill in the other two from its neighbors, linearly.

    Parameters
    ----------
    image : Tensor
        (N, 3, H, W), H and W at least 2.
    layout : Tensor
        (N,) whole numbers from 0 to 3: red is measured at odd columns where it is odd, and at odd
        rows where it is 2 or 3; blue diagonally beside it, green elsewhere.

    Returns
    -------
    Tensor
        Same shape.
    """
    rows = torch.arange(image.shape[-2], device=image.device) + layout[:, None] // 2
    columns = torch.arange(image.shape[-1], device=image.device) + layout[:, None]
    odd = rows[:, :, None] % 2 + columns[:, None] % 2
    measured = torch.stack([odd == 0, odd == 1, odd == 2], 1)
    kernels = torch.stack([_OTHERS, _GREEN, _OTHERS])[:, None].to(image)
    mosaic = functional.pad(image * measured, (1, 1, 1, 1), mode="reflect")
    return functional.conv2d(mosaic, kernels, groups=3)
