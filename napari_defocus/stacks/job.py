"""Job that profiles the focus of a stack, and the public function that runs it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from os import PathLike
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ..array_types import FloatArray
from ..image.value_range import Ranges
from ..jobs import EstimateJob
from ..options import Options
from ..pipeline.plane import Steps
from ..pipeline.planes import Inputs, process_planes
from .persistence import Persistence
from .plane import PlaneProfiler
from .profile import IN_FOCUS, FocusProfile
from .stack_job import StackJob
from .tiles import Tiles, measure_tiles, tile_shape

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
        Integers or real floats: NumPy, dask, zarr or h5py. Colors: `channel_axis`.
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

    The map of every plane is the one that :func:`napari_defocus.estimate_defocus` gives. Planes are
    read one at a time, and once; once more before, to measure black and white, where neither the
    data type nor `value_range` tells them.

    On 42 rendered stacks of 9 to 25 planes, the best plane is within one of the truth in 98 %; in
    93 % at a peak of 20 photons a pixel.

    A tile is judged if its values vary, at a scale of 4 pixels, more than white noise does, and the
    map is confident there. Noise that is correlated over several pixels may look like that, so a
    stack is judged only if the judged tiles of neighboring planes show the same at that scale.

    Examples
    --------
    >>> job = FocusJob(np.zeros((2, 32, 48), np.uint8))
    >>> [card.task for card in job.models]
    ['single']
    >>> job.run().best
    np.float64(nan)
    """

    function: ClassVar[str] = "focus_profile"

    def _steps(self) -> Steps[FocusProfile]:
        place, layout = self.place, self.layout
        height, width = tile_shape(layout.map_shape[-2:])
        rows, columns = layout.map_shape[-2] // height, layout.map_shape[-1] // width
        figures = np.empty((*layout.leading, 4))
        tiles = np.empty((*layout.leading, rows, columns))
        quantum = self._quantum()
        stacks = tuple(np.delete(layout.leading, place).tolist())
        persistence = Persistence(stacks, layout.leading[place])

        def write(index: tuple[int, ...], window: tuple[slice, slice], values: Any) -> None:
            del window  # all of the plane
            radius, confidence, light = values
            measured = measure_tiles(radius, confidence, light, quantum)
            figures[index], tiles[index] = (
                _figures(radius, confidence, light, measured),
                measured.radius,
            )
            persistence.add((*index[:place], *index[place + 1 :]), index[place], measured)

        profiler = PlaneProfiler(layout, self._map_process)
        inputs = Inputs([self.stack])
        yield from process_planes(profiler, inputs, self.value_range, self.options, write)
        radius, share, confidence, variance = np.moveaxis(figures, (-1, place), (0, -1))
        tile_radius = np.moveaxis(tiles, place, -3)
        tile_radius[~persistence.persists] = np.nan
        return FocusProfile(radius, share, confidence, variance, tile_radius, (height, width))

    def _quantum(self) -> float:
        """Return the step between neighboring values, white being 1 above black."""
        if self.layout.dtype.kind == "f":
            return 0.0
        return float(1 / np.diff(np.asarray(self.value_range, float), axis=-1).min())


def _figures(
    radius: FloatArray, confidence: FloatArray, light: FloatArray, tiles: Tiles
) -> list[float]:
    """Return median radius, share in focus, confidence and variance of a plane."""
    valid = ~np.isnan(light)
    if not valid.any():
        return [np.nan, np.nan, 0.0, np.nan]
    radii = np.abs(radius[valid])
    share, sure = (radii <= IN_FOCUS).mean(), confidence[valid].mean(dtype=np.float64)
    variance = tiles.variance[~np.isnan(tiles.variance)]
    figures = [np.median(radii), share, sure, variance.mean() if variance.size else np.nan]
    return [float(figure) for figure in figures]
