"""What all planes of an image share."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from ..array_types import Array, FloatArray
from ..image.encoding import add_change, to_display
from ..image.layout import Layout
from ..image.value_range import Range
from ..inference.device import Compute
from ..inference.engine import Progress, prepared_copy
from ..inference.resample import level_shape
from ..inference.storage import MemoryStorage, Planes, memory_storage, storage_for
from ..models.cards import ModelCard
from ..models.load import load_network
from .progress import ProgressMeter

if TYPE_CHECKING:
    from torch import nn


R = TypeVar("R")


Steps = Generator[Progress, None, R]


@dataclass(frozen=True)
class Work:
    """What all planes of an image have in common."""

    layout: Layout
    compute: Compute
    scale: int | str

    def meter(self, stages: int) -> ProgressMeter:
        """Return a meter for `stages` passes over every plane."""
        level = 1 if self.scale == "auto" else int(self.scale)
        rows, columns = level_shape(self.layout.map_shape, level)
        return ProgressMeter(stages * int(np.prod(self.layout.leading)) * rows * columns)

    def storage(self, out: Any) -> AbstractContextManager[MemoryStorage]:
        """Make storage for a plane: files for a large one whose result goes to `out`."""
        return (
            memory_storage()
            if out is None
            else storage_for(self.layout.map_shape, self.compute.tile)
        )

    def to_display(self, plane: Planes, value_range: Range, storage: MemoryStorage) -> Planes:
        """Bring a plane (C, Y, X) to the networks' form; black where none of it is finite."""
        shape = (min(plane.shape[0], 3), *plane.shape[1:])

        def window(rows: slice, columns: slice) -> FloatArray:
            part = plane[:, rows, columns]
            display = to_display(part, self.layout.encoding, value_range)
            return np.zeros((shape[0], *part.shape[1:]), np.float32) if display is None else display

        return storage.view(shape, window)

    def add_change(
        self, plane: Array, before: FloatArray, change: FloatArray, value_range: Range
    ) -> Array:
        """Return the plane with a change of the networks' form added."""
        return add_change(
            plane,
            before,
            change,
            encoding=self.layout.encoding,
            value_range=value_range,
            bounded=self.layout.display_bounded,
        )


def inference_network(model: ModelCard | nn.Module) -> nn.Module:
    """Return a model's network, ready to run; of the caller's own, which may change, a copy."""
    return load_network(model) if isinstance(model, ModelCard) else prepared_copy(model)
