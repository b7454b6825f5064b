"""Search for areas of a plane that show nothing by which blur could be told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..array_types import FloatArray, Mask
from ..image.layout import Layout
from ..image.range_rules import Range
from ..inference.engine import Progress
from ..inference.storage import Planes, WritablePlanes
from ..inference.tiles import Box, plan_tiles, round_up
from .plane import PlaneCodec, PlaneRun, Steps
from .sample_blocks import sample_blocks

if TYPE_CHECKING:
    from torch import Tensor

#: Side in pixels of the part that is looked at at a time.
_BLOCK = 1024
#: Side in pixels of the blocks that noise is measured in, and how many along a side at most.
_NOISE_BLOCK, _NOISE_BLOCKS = 512, 4
#: Least height and width, in cells, of an area that shows nothing.
_LEAST_AREA = 3


@dataclass(frozen=True)
class FeaturelessAreas:
    """Search for areas of one plane that show nothing.

    Parameters
    ----------
    layout : Layout
        Layout of the image.
    """

    layout: Layout
    stages = 1
    extra_pixels = 0

    def steps(self, *planes: Planes, value_range: Range, run: PlaneRun) -> Steps[WritablePlanes]:
        """Return where a plane shows nothing, (1, Y, X) bool."""
        from ..evidence.featureless import CELL

        codec = PlaneCodec(self.layout, value_range)
        image = codec.to_display(planes[0], run.storage)
        even = self.layout.encoding != "linear"
        cells = _in_areas(_featureless(image, codec.quantum, even=even))
        yield Progress(1, 1)
        result = run.storage.array((1, *image.shape[1:]), np.bool_)
        for block in run.storage.blocks(image.shape, CELL):
            part = cells[block.downscale(CELL).slices].repeat(CELL, axis=0).repeat(CELL, axis=1)
            result[:, *block.slices] = part[None, : block.height, : block.width]
        return result


def _featureless(image: Planes, quantum: float, *, even: bool) -> Mask:
    """Return which cells (rows, columns) of a display-encoded plane (C, Y, X) show nothing."""
    from ..evidence.featureless import (
        CELL,
        SQUARE,
        cells_reach,
        featureless_cells,
        measure_noise,
        squares,
    )

    sample = sample_blocks(image.shape, _NOISE_BLOCK, _NOISE_BLOCKS)
    noise = measure_noise([_gray(image, block) for block in sample], quantum, even=even)
    height, width = (round_up(length, CELL) for length in image.shape[-2:])
    cells = np.zeros((height // CELL, width // CELL), bool)
    reach = round_up(SQUARE * cells_reach(), CELL)
    whole = Box(0, 0, *image.shape[-2:])
    for block in plan_tiles(Box(0, 0, height, width), _BLOCK, CELL):
        context = block.expand(reach, whole)
        nothing = featureless_cells(squares(_gray(image, context)), noise).numpy()
        core = block.relative_to(context).downscale(CELL)
        cells[block.downscale(CELL).slices] = nothing[core.slices]
    return cells


def _gray(image: Planes, box: Box) -> Tensor:
    import torch

    part: FloatArray = image[:, *box.slices]
    return torch.from_numpy(part.mean(axis=0))


def _in_areas(cells: Mask) -> Mask:
    """Return featureless cells that form areas."""
    from scipy.ndimage import binary_opening

    padded = np.pad(cells, _LEAST_AREA, mode="edge")
    opened: Mask = binary_opening(padded, np.ones((_LEAST_AREA, _LEAST_AREA)))
    inner = slice(_LEAST_AREA, -_LEAST_AREA)
    return opened[inner, inner]
