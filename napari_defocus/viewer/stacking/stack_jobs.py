"""Profile and merging of a stack in a layer."""

from collections.abc import Generator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ...image.layout import is_dask
from ...inference.engine import Progress
from ...jobs import EstimateJob
from ...provenance_record import provenance
from ...stacks.alignment import Align
from ...stacks.fusion_job import AllInFocusJob
from ...stacks.fusion_result import AllInFocus
from ...stacks.job import FocusJob
from ...stacks.profile import FocusProfile
from ...stacks.stack_job import StackJob
from ..jobs.layer_jobs import LayerJob, run_on_record
from ..jobs.recipe import Call
from ..layers.window import Window
from .stack_inside import merge_inside, without_outside


@dataclass(frozen=True)
class FocusResult:
    """A profile, the part of the layer that it is of, and how it was made."""

    profile: FocusProfile
    window: Window
    axis: int
    provenance: dict[str, Any]


@dataclass(frozen=True)
class MergeResult:
    """A merged stack, the part of the layer that it is of, and how it was made."""

    merged: AllInFocus
    window: Window
    axis: int
    provenance: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class FocusLayerJob(LayerJob[FocusResult | MergeResult]):
    """Profile of the focus of a stack.

    Parameters
    ----------
    axis : int
        Axis of the planes in the layer.
    model : str
        Name or path of the estimator.
    """

    axis: int
    model: str = EstimateJob.model

    def steps(self) -> Generator[Progress, None, FocusResult | MergeResult]:
        """Do the work, yielding after every plane that is read and every tile."""
        stack = yield from self._stack()
        options = yield from self.image.complete_options(self.options)
        job = self._make_job(stack, options)
        inside = self._job_inside(job)
        if is_dask(stack):  # hashed by its graph, so that it is not read for that
            record = provenance(job, layer=self.image.name, region=self.image.origin["region"])
            result = yield from inside.steps()
        else:
            result, record = yield from run_on_record(job, self.image, inside)
        return self._wrap(job, result, record if self.mask is None else self.mask.described(record))

    def repeats(self, other: "FocusLayerJob | None") -> bool:
        """Return whether the job gives what another one has given; not told of drawn shapes."""
        if other is None or self.mask is not None or other.mask is not None:
            return False
        same_part = self.image.data is other.image.data and self.image.window == other.image.window
        return same_part and self == replace(other, image=self.image)

    def _job_inside(self, job: StackJob[Any]) -> StackJob[Any]:
        """Return the job without what lies outside of the drawn shapes."""
        return job if self.mask is None else without_outside(job, self.mask.inside)

    def _stack(self) -> Generator[Progress, None, Any]:
        """Return the pixels; lazy ones stay so, for planes are read one at a time."""
        data = self.image.data
        if isinstance(data, np.ndarray):
            return (yield from self.image.read())
        if not is_dask(data):
            import dask.array

            chunks = getattr(data, "chunks", None) or (1,) * (data.ndim - 2) + data.shape[-2:]
            data = dask.array.from_array(data, chunks=chunks)
        return data[self.image.slices]

    def _make_job(self, stack: Any, options: Any) -> StackJob[Any]:
        return FocusJob(stack, self.axis, self.model, options)

    def _wrap(
        self, job: StackJob[Any], result: Any, record: dict[str, Any]
    ) -> FocusResult | MergeResult:
        return FocusResult(result, self.image.window, self.axis, record)

    @property
    def call(self) -> Call:
        """The call of the API that does the same."""
        return Call("focus_profile", "focus", "profile", *self._call_parts(), mask=self.mask)

    def _call_parts(self) -> tuple[dict[str, Any], dict[str, Any], Any]:
        arguments: dict[str, Any] = {"axis": self.axis}
        if self.model != EstimateJob.model:
            arguments["model"] = self.model
        return {"image": self.image}, arguments, self.image.reading_options(self.options)


@dataclass(frozen=True, kw_only=True)
class MergeLayerJob(FocusLayerJob):
    """Merging of a stack into a picture that is sharp everywhere.

    Parameters
    ----------
    align : {"auto", "none", "shift", "similarity"}
        How planes may have moved.
    deblur_rest : bool
        Deblur what no plane shows sharply.
    """

    align: Align = "auto"
    deblur_rest: bool = False

    def _make_job(self, stack: Any, options: Any) -> StackJob[Any]:
        return AllInFocusJob(stack, self.axis, self.model, options, self.align, self.deblur_rest)

    def _job_inside(self, job: StackJob[Any]) -> StackJob[Any]:
        return job  # the surroundings of the shapes help to align the planes

    def _wrap(
        self, job: StackJob[Any], result: Any, record: dict[str, Any]
    ) -> FocusResult | MergeResult:
        if self.mask is not None:
            result = merge_inside(result, job, self.mask.inside)
        return MergeResult(result, self.image.window, self.axis, record)

    @property
    def call(self) -> Call:
        """The call of the API that does the same."""
        inputs, arguments, options = self._call_parts()
        if self.align != "auto":
            arguments["align"] = self.align
        if self.deblur_rest:
            arguments["deblur_rest"] = True
        words, mask = (f"{self.image.name} all in focus.tif",), self.mask
        return Call(
            "all_in_focus", "all-in-focus", "merged", inputs, arguments, options, words, mask
        )
