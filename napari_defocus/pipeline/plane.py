"""Common parts of the work on one plane: its inputs, its values, its steps."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar, cast

import numpy as np

from ..array_types import Array, FloatArray, Mask
from ..errors import DefocusError, DeviceError
from ..image.channels import channels_that_share, share_change
from ..image.encoding import add_change, to_display
from ..image.layout import Layout
from ..image.missing import is_far, valid_mask
from ..image.range_rules import Range
from ..inference.device import is_out_of_memory
from ..inference.engine import Progress
from ..inference.runner import prepared_copy
from ..inference.storage import MemoryStorage, Planes
from ..models import ModelCard, load_network
from ..objective import Objective
from ..options import Options
from .progress import ProgressMeter

if TYPE_CHECKING:
    from torch import nn

    from ..networks.network import Network

R = TypeVar("R")
Steps = Generator[Progress, None, R]


@dataclass(frozen=True)
class PlaneRun:
    """Options, progress and storage of the work on one plane.

    Parameters
    ----------
    options : Options
        Device, precision, tiles and resolution.
    meter : ProgressMeter
        Counts the progress of all planes.
    storage : MemoryStorage
        Holds intermediate results, and decides how large a block is processed at a time.
    """

    options: Options
    meter: ProgressMeter
    storage: MemoryStorage

    def resolved_level(self, layout: Layout) -> int:
        """Return the level at which the optics are resolved; 1 unless a microscope is known."""
        optics = self.options.optics
        if layout.imaging != "microscopy" or not isinstance(optics, Objective):
            return 1
        return optics.resolved_level


@dataclass(frozen=True)
class PlaneCodec:
    """Conversion of a plane to the networks' form, and of a change back to the plane's values.

    Parameters
    ----------
    layout : Layout
        Layout of the image.
    value_range : (float, float)
        Black and white of the plane.
    """

    layout: Layout
    value_range: Range

    def to_display(self, plane: Planes, storage: MemoryStorage) -> Planes:
        """Return a plane (C, Y, X) in the networks' form; black if none of it holds data."""
        shape = (min(plane.shape[0], 3), *plane.shape[1:])

        def window(rows: slice, columns: slice) -> FloatArray:
            part = plane[:, rows, columns]
            display = to_display(part, self.layout.encoding, self.value_range, self.layout.nodata)
            return np.zeros((shape[0], *part.shape[1:]), np.float32) if display is None else display

        return storage.compute(shape, window)

    @property
    def may_lack_data(self) -> bool:
        """Whether the data type holds values that stand for no data."""
        dtype = self.layout.dtype
        if dtype.kind == "f" or not isinstance(self.layout.nodata, str):
            return True
        info = np.iinfo(dtype)
        return any(is_far(end, self.value_range) for end in (info.min, info.max)) or info.min < 0

    @property
    def quantum(self) -> float:
        """Step between neighboring values, white being 1; 0 if values are floats."""
        low, high = self.value_range
        return 1 / (high - low) if self.layout.dtype.kind in "iu" else 0.0

    def valid_mask(self, values: Array) -> Mask | None:
        """Return which values hold data, or None if all do."""
        return valid_mask(values, self.layout.nodata, self.value_range)

    def shares(self, plane: Planes, storage: MemoryStorage) -> list[tuple[int, ...]]:
        """Return which channels share their change; see :func:`channels_that_share`."""
        blocks = (plane[:3, *block.slices] for block in storage.blocks(plane.shape, 1))
        return channels_that_share((part, self.valid_mask(part)) for part in blocks)

    def add_change(
        self,
        plane: Array,
        before: FloatArray,
        change: FloatArray,
        shares: Sequence[tuple[int, ...]],
    ) -> Array:
        """Return the plane with a change of the networks' form added."""
        return add_change(
            plane,
            before,
            share_change(change, shares),
            encoding=self.layout.encoding,
            value_range=self.value_range,
            bounded=self.layout.color,
            nodata=self.layout.nodata,
        )


def inference_network(model: ModelCard | nn.Module) -> Network:
    """Return the network of a model, prepared to run; of the caller's own network, a copy."""
    if isinstance(model, ModelCard):
        return load_network(model)
    return cast("Network", prepared_copy(model))


def translate_errors(steps: Steps[R]) -> Steps[R]:
    """Pass steps on, and raise errors of torch and memory as DefocusErrors.

    Workers of napari swallow a RuntimeError.
    """
    try:
        return (yield from steps)
    except (RuntimeError, MemoryError) as error:
        if isinstance(error, MemoryError) or is_out_of_memory(error):
            detail = f": {error}" if str(error) else ""
            raise DeviceError(
                f"the computation ran out of memory{detail}; try a smaller tile, or close other "
                "programs"
            ) from error
        raise DefocusError(f"the computation failed: {error}") from error
