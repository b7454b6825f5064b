"""Job that profiles the focus of a stack, and the public function that runs it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from os import PathLike
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ..image.layout import plane_indices
from ..image.value_range import Ranges, range_of_plane
from ..inference.engine import Progress
from ..inference.storage import memory_storage
from ..jobs import EstimateJob
from ..options import Options
from ..pipeline.plane import PlaneRun, Steps
from ..pipeline.planes import Inputs, PlaneProcess, plane_meter
from ..pipeline.progress import ProgressMeter
from .plane import PlaneProfiler
from .plane_figures import PlaneFigures
from .profile import FocusProfile
from .stack_job import StackJob

if TYPE_CHECKING:
    from torch import nn


def focus_profile(
    stack: Any,
    *,
    axis: int = 0,
    model: str | PathLike[str] | nn.Module = EstimateJob.model,
    channel_axis: int | str | None = Options.channel_axis,
    encoding: str = Options.encoding,
    value_range: Ranges | None = Options.value_range,
    downscale: int | str = Options.downscale,
    device: str = Options.device,
    precision: str = Options.precision,
    tile: int | str | None = Options.tile,
    imaging: str = Options.imaging,
    nodata: float | str = Options.nodata,
    range_axis: int | None = Options.range_axis,
    optics: Any = Options.optics,
    progress: Callable[[int, int], object] | None = None,
) -> FocusProfile:
    """Tell which plane of a stack is sharp, and how far the others are out of focus.

    Parameters
    ----------
    stack : array with axes for planes, Y and X
        Integers or real floats: NumPy, dask, zarr or h5py, or a list of planes. Colors:
        `channel_axis`.
    axis : int
        Axis of the planes in the array as it is, channels included; negative counts from the end.
        All other axes before Y and X, such as time, are profiled one by one.
    model : str, path or torch.nn.Module
        Model that estimates the maps, as for :func:`estimate_defocus`.
    channel_axis, encoding, value_range, imaging, nodata, range_axis, optics
        How values are read: see :class:`napari_defocus.Options`.
    downscale, device, precision, tile
        How to compute: see :class:`napari_defocus.Options`.
    progress : callable, optional
        As for :func:`estimate_defocus`; dask arrays call it too.

    Returns
    -------
    FocusProfile
        Radius, share in focus, confidence and variance of every plane; the best plane, a statement.

    Raises
    ------
    ImageError, ModelError, OptionError, DeviceError
        As :func:`estimate_defocus`; OptionError too if `axis` is no axis of planes.

    See Also
    --------
    estimate_defocus : estimate the map of every plane

    Notes
    -----
    One plane is in memory at a time. More: :class:`napari_defocus.FocusJob`.

    Examples
    --------
    >>> stack = np.random.default_rng(0).random((3, 32, 48), np.float32)
    >>> profile = focus_profile(stack)
    >>> profile.radius.shape, profile.statement
    ((3,), 'nothing to judge by')
    """
    options = Options(
        channel_axis, encoding, value_range, downscale, device, precision, tile, imaging, nodata,
        range_axis, optics,
    )  # fmt: skip
    return FocusJob(stack, axis, model, options).run(progress)


@dataclass(frozen=True, eq=False)
class FocusJob(StackJob[FocusProfile]):
    """Profile of the focus through a stack; see :func:`napari_defocus.focus_profile`.

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

    See Also
    --------
    focus_profile : build the job and run it
    EstimateJob : estimation of the maps alone
    provenance : describe the result

    Notes
    -----
    Errors in the arguments are raised when the job is run or its models are asked for.

    The map of every plane is the one that :func:`napari_defocus.estimate_defocus` gives; but planes
    of long stacks that a first look at a quarter of the size shows to be far from focus keep its
    figures, and are marked as `coarse`. Planes are read one at a time, and once; those near focus
    once more after a first look. All are read once more before, to measure black and white, where
    neither the data type nor `value_range` tells them.

    On 60 rendered stacks of 9 to 25 planes, the best plane is within one of the truth in 97 %; in
    90 % at a peak of 20 photons a pixel.

    A tile is judged if its values vary, at a scale of 4 pixels, more than white noise does, and the
    map is confident there. Noise that is correlated over several pixels may look like that, so a
    stack is judged only if the judged tiles of neighboring planes show the same at that scale.

    Examples
    --------
    >>> job = FocusJob(np.zeros((2, 32, 48), np.uint8))
    >>> [card.task for card in job.models]
    ['single']
    >>> float(job.run().best)
    nan
    """

    function: ClassVar[str] = "focus_profile"

    def _steps(self) -> Steps[FocusProfile]:
        layout, figures = self.layout, PlaneFigures(self.layout, self.place, self._quantum())
        process, meter = self._map_process, plane_meter(self._map_process, self.options)
        coarse = np.zeros(layout.leading, bool)
        first, full = self._first_look, meter.total
        if first is not None:
            meter.total += plane_meter(first, self.options).total
            yield from self._look(first, plane_indices(layout), meter, figures)
            coarse = ~figures.worth_a_full_look()
            meter.skip(int(full * coarse.mean()))
        rest = (index for index in plane_indices(layout) if not coarse[index])
        yield from self._look(process, rest, meter, figures)
        yield Progress(meter.total, meter.total)
        return figures.profile(coarse)

    def _look(
        self,
        process: PlaneProcess,
        indices: Iterable[tuple[int, ...]],
        meter: ProgressMeter,
        figures: PlaneFigures,
    ) -> Steps[None]:
        """Read planes one at a time, and enter their figures."""
        profiler, inputs = PlaneProfiler(self.layout, process), Inputs([self.stack])
        for index in indices:
            with memory_storage() as storage:
                result = yield from profiler.steps(
                    *inputs.planes(self.layout, index, storage),
                    value_range=range_of_plane(self.value_range, index),
                    run=PlaneRun(self.options, meter, storage),
                )
                is_first = process is self._first_look
                figures.enter(index, *result[:, :, :], is_first=is_first)

    def _quantum(self) -> float:
        """Return the step between neighboring values, white being 1 above black."""
        if self.layout.dtype.kind == "f":
            return 0.0
        return float(1 / np.diff(np.asarray(self.value_range, float), axis=-1).min())
