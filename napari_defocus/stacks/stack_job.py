"""Base of the jobs that go through the planes of a stack."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, TypeVar

import numpy as np

from ..errors import ImageError
from ..image.layout import Layout, as_array, is_dask, leading_place
from ..jobs import EstimateJob, Job
from ..models import ModelCard
from ..options import Options
from ..pipeline.channelwise import ChannelwiseMap
from ..pipeline.planes import PlaneProcess
from ..views import Views
from .first_look import FirstLook, is_worth_a_first_look

R = TypeVar("R")
#: Words for what planes must have in common.
_NAMES = {"shape": "shape", "dtype": "data type"}


@dataclass(frozen=True, eq=False)
class StackJob(Job[R]):
    """Work on the planes along one axis of an array, whose defocus maps are estimated.

    Parameters
    ----------
    stack : array with axes for planes, Y and X
        The stack.
    axis : int
        Axis of the planes in the array as it is, channels included.
    model : str, path or torch.nn.Module
        Model that estimates the maps.
    options : Options
        How values are read and how to compute.
    """

    stack: Any
    axis: int = 0
    model: Any = "auto"
    options: Options = field(default_factory=Options)

    def __post_init__(self) -> None:
        object.__setattr__(self, "stack", _as_stack(self.stack))

    @property
    def source(self) -> Any:
        """The stack."""
        return self.stack

    @cached_property
    def estimate(self) -> EstimateJob:
        """The job that estimates the maps."""
        return EstimateJob(Views(self.stack), self.model, self.options)

    @cached_property
    def layout(self) -> Layout:
        """Layout of the stack."""
        return self.estimate.layout

    @cached_property
    def place(self) -> int:
        """Place of `axis` among the axes before Y and X, without channels."""
        return leading_place(self.layout, self.axis)

    @property
    def stack_indices(self) -> Iterator[tuple[int, ...]]:
        """Index of every stack along the other axes before Y and X."""
        return np.ndindex(*np.delete(self.layout.leading, self.place))

    def plane_index(self, stack: tuple[int, ...], plane: int) -> tuple[int, ...]:
        """Return the index of a plane of a stack along all axes before Y and X."""
        return (*stack[: self.place], plane, *stack[self.place :])

    @property
    def merged_layout(self) -> Layout:
        """Layout of the array without the axis of the planes."""
        layout = self.layout
        axis, channel = self.axis % len(layout.shape), layout.channel_axis
        return replace(
            layout,
            shape=tuple(np.delete(layout.shape, axis).tolist()),
            channel_axis=None if channel is None else channel - (channel > axis),
            range_axis=None,
        )

    @property
    def models(self) -> tuple[ModelCard, ...]:
        """Cards of the models that estimate the maps."""
        return self.estimate.models

    @property
    def own_parameters(self) -> dict[str, Any]:
        """The axis of the planes, and the model."""
        return {"axis": self.axis, "model": self.estimate.own_parameters["model"]}

    @property
    def _map_process(self) -> PlaneProcess:
        """The estimation of the map of one plane."""
        process: PlaneProcess = self.estimate.plane_task
        return ChannelwiseMap(self.layout, process) if self.layout.channelwise else process

    @cached_property
    def _first_look(self) -> FirstLook | None:
        """The first look at each plane, if the stack is long enough to save time by it."""
        planes = self.layout.leading[self.place]
        if not is_worth_a_first_look(self.options, self.layout, planes):
            return None
        return FirstLook(self.layout, self.model, self.options)


def _as_stack(stack: Any) -> Any:
    """Return an array, or a list of planes as one array with a new first axis."""
    if not (isinstance(stack, list | tuple) and stack):
        return as_array(stack)
    planes = [as_array(plane) for plane in stack]
    for number, plane in enumerate(planes):
        for what in ("shape", "dtype"):
            first, other = getattr(planes[0], what), getattr(plane, what)
            if first != other:
                raise ImageError(
                    f"plane {number} of the stack has the {_NAMES[what]} {other} and plane 0 "
                    f"{first}; they must be equal, so crop or convert them first"
                )
    if any(map(is_dask, planes)):
        import dask.array

        return dask.array.stack(planes)
    return np.stack(planes)
