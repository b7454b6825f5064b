"""Job that merges a stack into a picture sharp everywhere, and the public function that runs it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, cached_property
from os import PathLike
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ..array_types import Array
from ..defocus_map import DefocusMap
from ..errors import ImageError, OptionError, quote
from ..image.layout import read_window, write_window
from ..image.missing import valid_mask
from ..image.range_rules import Note
from ..image.value_range import Ranges, range_needs_no_values, range_of_plane, scan_range, warn
from ..inference.engine import Progress
from ..inference.storage import memory_storage
from ..jobs import DeblurJob, EstimateJob
from ..options import Options
from ..pipeline.plane import PlaneRun, Steps
from ..pipeline.planes import plane_meter
from ..pipeline.progress import ProgressMeter
from .alignment import Align, check_align
from .fusion_result import AllInFocus
from .light import LightCodec
from .merge import Merger, StackPlanes
from .stack_job import StackJob

if TYPE_CHECKING:
    from torch import nn

#: Display value from which on a pixel is saturated.
_WHITE = 0.995
_WHOLE = slice(None), slice(None)


def all_in_focus(
    stack: Any,
    *,
    axis: int = 0,
    align: Align = "auto",
    deblur_rest: bool = False,
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
) -> AllInFocus:
    """Merge a stack into one picture that is sharp everywhere, and tell the depth of each pixel.

    Parameters
    ----------
    stack : array with axes for planes, Y and X
        Integers or real floats: NumPy, dask, zarr or h5py, or a list of planes. Colors:
        `channel_axis`. Lazy arrays are read plane by plane during the call.
    axis : int
        Axis of the planes in the array as it is, channels included; negative counts from the end.
        Stacks along all other axes before Y and X, such as time, are merged one by one.
    align : {"auto", "none", "shift", "similarity"}
        How planes may have moved: not, by a shift, or also by scale and rotation, as with lenses
        that breathe. "auto": "similarity" for photographs, "shift" for microscopy. Planes that
        move by less than a quarter of a pixel stay as they are.
    deblur_rest : bool
        Deblur what no plane shows sharply.
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
    AllInFocus
        The picture, of the stack's shape without `axis` and of its data type and range; depth and
        confidence. They are NumPy arrays, of a dask stack too.

    Raises
    ------
    ImageError, ModelError, OptionError, DeviceError
        As :func:`estimate_defocus`; OptionError too if `axis` or `align` is not accepted.

    See Also
    --------
    focus_profile : tell which plane is sharp
    deblur : restore the detail of a single plane

    Notes
    -----
    A few planes are in memory at a time. More: :class:`napari_defocus.AllInFocusJob`.

    Examples
    --------
    >>> stack = np.random.default_rng(0).integers(0, 256, (3, 32, 48), np.uint8)
    >>> image, depth, confidence = all_in_focus(stack)
    >>> image.shape, image.dtype, depth.shape
    ((32, 48), dtype('uint8'), (32, 48))
    """
    options = Options(
        channel_axis, encoding, value_range, downscale, device, precision, tile, imaging, nodata,
        range_axis, optics,
    )  # fmt: skip
    return AllInFocusJob(stack, axis, model, options, align, deblur_rest).run(progress)


@dataclass(frozen=True, eq=False)
class AllInFocusJob(StackJob[AllInFocus]):
    """Merging of a stack into a picture sharp everywhere; see :func:`napari_defocus.all_in_focus`.

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
    align : {"auto", "none", "shift", "similarity"}
        How planes may have moved.
    deblur_rest : bool
        Deblur what no plane shows sharply.

    Raises
    ------
    OptionError
        If `align` or `deblur_rest` is not accepted.

    See Also
    --------
    all_in_focus : build the job and run it
    FocusJob : the profile of a stack
    provenance : describe the result

    Notes
    -----
    Other errors in the arguments are raised when the job is run or its models are asked for.

    Planes are read one at a time, and twice; those of long stacks that are near focus once more,
    after a first look at a quarter of the size; and all once more before, where white has to be
    measured in display values. Linear planes are scaled for the network by the black and white of
    each.

    On 60 rendered stacks the picture has 5.5 dB of PSNR more than the best plane. The mean error of
    the depth is 0.2 to 0.3 planes where there is texture, and 0.8 at a peak of 20 photons a pixel.

    Examples
    --------
    >>> job = AllInFocusJob(np.zeros((1, 32, 48), np.uint8))
    >>> [card.task for card in job.models]
    ['single']
    >>> job.run().image.shape
    (32, 48)
    """

    function: ClassVar[str] = "all_in_focus"

    align: Align = "auto"
    deblur_rest: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        check_align(self.align)
        if not isinstance(self.deblur_rest, bool):
            raise OptionError(
                f"deblur_rest is {quote(self.deblur_rest)}; True or False is expected"
            )

    @property
    def own_parameters(self) -> dict[str, Any]:
        """Axis, alignment, deblurring and the model."""
        return {
            "axis": self.axis,
            "align": self.align,
            "deblur_rest": self.deblur_rest,
            "model": self.estimate.own_parameters["model"],
        }

    @cached_property
    def _ranges_differ(self) -> bool:
        """Whether each plane is scaled by its own black and white, so that it is read less often.

        Linear light is blended as it is; only the network needs black and white.
        """
        needed = not range_needs_no_values(self.layout, self.options.value_range)
        return needed and self.layout.encoding == "linear"

    @property
    def _recorded_range(self) -> Ranges | None:
        return None if self._ranges_differ else super()._recorded_range

    def _steps(self) -> Steps[AllInFocus]:
        layout = self.merged_layout
        image = np.empty(layout.shape, layout.dtype)
        depth = np.full(layout.map_shape, np.nan, np.float32)
        confidence, rest, trust = np.zeros((3, *layout.map_shape), np.float32)
        merger, meter = self._merger(), self._meter()
        note = cache(warn)  # once for each text
        move, has_data = 0.0, False
        for index in self.stack_indices:
            with memory_storage() as storage:
                planes = self._planes(index, note)
                merged = yield from merger.steps(planes, PlaneRun(self.options, meter, storage))
            if merged is None:
                write_window(image, layout, index, _WHOLE, planes.read(0))
                continue
            write_window(image, layout, index, _WHOLE, merged.image)
            depth[index], confidence[index] = merged.depth, merged.confidence
            rest[index], trust[index] = merged.rest, merged.trust
            move, has_data = max(move, merged.move), True
        if not has_data:
            raise ImageError(
                "the image has no finite value; every pixel is NaN, infinite or without data"
            )
        if self.deblur_rest:
            image = yield from self._rest_job(image, DefocusMap(rest, trust)).steps()
        yield Progress(meter.total, meter.total)
        return AllInFocus(image, depth, confidence, move)

    def _merger(self) -> Merger:
        layout = self.layout
        align = self.align
        if align == "auto":
            align = "similarity" if layout.imaging == "photograph" else "shift"
        white = np.inf
        if layout.encoding == "srgb":
            white = _WHITE
        elif layout.dtype.kind in "iu":
            white = float(np.iinfo(layout.dtype).max)
        match_brightness = align != "none" and layout.display_bounded
        return Merger(self._map_process, self._first_look, align, match_brightness, white)

    def _meter(self) -> ProgressMeter:
        meter = plane_meter(self._map_process, self.options)
        if self._first_look is not None:
            meter.total += plane_meter(self._first_look, self.options).total
        meter.total += math.prod(self.layout.map_shape)
        return meter

    def _planes(self, stack: tuple[int, ...], note: Note) -> StackPlanes:
        layout = self.layout

        def read(plane: int) -> Array:
            return read_window(self.stack, layout, self.plane_index(stack, plane), _WHOLE)

        def codec(values: Array, plane: int) -> LightCodec | None:
            valid = valid_mask(values[:3], layout.nodata)
            if valid is not None and not valid.any():
                return None
            if self._ranges_differ:
                own = replace(layout, shape=values.shape, channel_axis=0, range_axis=None)
                return LightCodec(layout, scan_range(values, own, note=note))
            ranges = range_of_plane(self.value_range, self.plane_index(stack, plane))
            return LightCodec(layout, ranges)

        return StackPlanes(layout.leading[self.place], read, codec)

    def _rest_job(self, image: Array, rest: DefocusMap) -> DeblurJob:
        """Return the job that deblurs what no plane shows sharply."""
        layout, pair = self.merged_layout, self.options.value_range
        options = replace(
            self.options,
            channel_axis="none" if layout.channel_axis is None else layout.channel_axis,
            encoding=layout.encoding,
            value_range=pair if np.ndim(pair) == 1 else None,
            range_axis=None,
        )
        return DeblurJob(image, rest, options=options)
