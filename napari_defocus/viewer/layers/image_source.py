"""Pixels of an image layer, read in the worker thread, plane by plane if the data are lazy."""

from collections.abc import Generator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ...api import measure_range
from ...image.channels import find_independent_channels
from ...image.layout import read_layout
from ...image.range_rules import Note
from ...image.value_range import range_needs_no_values, warn
from ...inference.engine import Progress
from ...options import Options
from .file_content import layer_path
from .file_values import heed_file
from .layer_optics import file_optics
from .regions import whole_layer
from .window import Window

if TYPE_CHECKING:
    from napari.layers import Image

_WAITING = Progress(0, 0)
#: Labels of an axis of channels, whose brightness has nothing in common.
_CHANNEL_LABELS = ("c", "ch", "channel", "channels")


def _ignore(_: str) -> None:
    pass


@dataclass(frozen=True)
class ImageSource:
    """Part of an image layer, to be read later. It refers to the data, not to the layer.

    Parameters
    ----------
    data : array-like
        Data of the layer at full resolution: NumPy, dask, zarr, ...
    window : Window
        The part.
    channel_axis : int or "none"
        -1 for color, otherwise "none": the layer says so, whatever the length of its last axis.
    name : str
        Name of the layer.
    path : str or None
        File the layer was read from.
    multiscale : bool
        Whether `data` is the finest level of a multiscale layer.
    range_axis : int or None
        The axis of fluorescence channels, if the layer's axis labels name one.
    imaging : {"auto", "microscopy"}
        "microscopy" if the layer's units are those of a microscope.
    optics : Objective or "auto"
        The microscope, if the file that the layer was opened from says it.
    """

    data: Any
    window: Window
    channel_axis: int | str
    name: str
    path: str | None
    multiscale: bool = False
    range_axis: int | None = None
    imaging: str = "auto"
    optics: Any = "auto"

    @property
    def slices(self) -> tuple[slice, ...]:
        """Slices of `data`, one per axis except channels."""
        return self.window.slices

    @property
    def origin(self) -> dict[str, Any]:
        """Origin of the pixels, for provenance."""
        region = [[part.start, part.stop] for part in self.slices]
        return {"layer": self.name, "path": self.path, "region": region}

    @property
    def resembles_color(self) -> bool:
        """Whether an array without color has, whole or cut, a last axis as long as color's."""
        if self.channel_axis != "none" or len(self.window.shape) < 3:
            return False
        return any(shape[-1] in (3, 4) for shape in (self.data.shape, self.window.shape))

    @property
    def is_whole(self) -> bool:
        """Whether the part is the whole layer."""
        shape = self.data.shape[: len(self.window.stop)]
        return not any(self.window.start) and self.window.stop == tuple(shape)

    def read(self) -> Generator[Progress, None, npt.NDArray[Any]]:
        """Return the pixels as a NumPy array, yielding after every plane of lazy data."""
        if isinstance(self.data, np.ndarray):
            part: npt.NDArray[Any] = self.data[self.slices]
            return part
        channels = tuple(self.data.shape[len(self.window.shape) :])
        pixels = np.empty((*self.window.shape, *channels), self.data.dtype)
        corner = self.window.start
        for index in np.ndindex(*self.window.shape[:-2]):
            plane = tuple(i + start for i, start in zip(index, corner[:-2], strict=True))
            pixels[index] = np.asarray(self.data[plane + self.window.slices[-2:]])
            yield _WAITING
        return pixels

    def blank(self) -> npt.NDArray[Any]:
        """Return zeros of the layer's shape and data type that take no memory."""
        return np.broadcast_to(np.zeros((), self.data.dtype), tuple(self.data.shape))

    def reading_options(self, options: Options, note: Note = _ignore) -> Options:
        """Return options with what the layer says: axes of color and channels, kind of image.

        Whether colors are those of a scene is decided on the whole layer; `note` takes a sentence
        if they are not.
        """
        axis = self.range_axis if options.range_axis is None else options.range_axis
        optics = self.optics if options.optics == "auto" else options.optics
        options = replace(options, channel_axis=self.channel_axis, range_axis=axis, optics=optics)
        if (options.imaging, options.encoding) != ("auto", "auto"):
            return options
        if self.channel_axis == "none" or self.is_whole:
            return replace(options, imaging=self.imaging)
        layout = read_layout(self.data, **options.reading())
        independent = find_independent_channels(self.data, layout, options, note)
        return replace(options, imaging="microscopy" if independent else "photograph")

    def options_of_file(self, options: Options, note: Note = _ignore) -> Options:
        """Return options with what the layer says, and its file: no-data value and white."""
        return heed_file(self.reading_options(options, note), self.data, self.path, note)

    def complete_options(self, options: Options) -> Generator[Progress, None, Options]:
        """Return options as they are used for this part: with the layer's axes and value range.

        The range of the whole layer is measured where this part does not determine it.
        """
        options = self.options_of_file(options, warn)
        if not self.range_needs_whole(options):
            return options
        yield _WAITING
        value_range = self._range_of_part(measure_range(self.data, **options.reading()))
        return replace(options, value_range=value_range)

    def _range_of_part(self, value_range: Any) -> Any:
        """Return black and white of the planes of this part."""
        ranges = np.asarray(value_range)
        if ranges.ndim == 1:
            return value_range
        planes = self.slices[:-2]
        first = ranges.ndim - 1 - (self.channel_axis == -1) - len(planes)
        parts = [
            part if first + axis >= 0 and ranges.shape[first + axis] > 1 else slice(None)
            for axis, part in enumerate(planes)
        ]
        ends = [slice(None)] * (2 if self.channel_axis == -1 else 1)
        index: tuple[Any, ...] = (..., *parts, *ends)
        return ranges[index]

    def range_needs_whole(self, options: Options) -> bool:
        """Return whether black and white must be measured on more than this part of the layer."""
        if self.is_whole or options.value_range is not None:
            return False
        layout = read_layout(self.data, **self.reading_options(options).reading())
        return not range_needs_no_values(layout, None)


def image_source(layer: "Image", window: Window | None = None) -> ImageSource:
    """Return a source for part of a layer, by default all of it."""
    return ImageSource(
        data=layer.data[0] if layer.multiscale else layer.data,
        window=window or whole_layer(layer),
        channel_axis=-1 if layer.rgb else "none",
        name=layer.name,
        path=layer_path(layer),
        multiscale=layer.multiscale,
        range_axis=_channel_axis(layer),
        imaging="microscopy" if _shows_micrometers(layer) else "auto",
        optics=file_optics(layer),
    )


def _shows_micrometers(layer: "Image") -> bool:
    """Return whether a gray layer has pixels of micrometers or nanometers, as microscopes have."""
    units = {str(unit) for unit in layer.units[-3:]}
    return not layer.rgb and bool(units & {"micrometer", "nanometer"})


def _channel_axis(layer: "Image") -> int | None:
    """Return the axis before Y and X that the axis labels call channels, if there is one."""
    labels = [str(label).lower() for label in layer.axis_labels[: layer.ndim - 2]]
    axes = [axis for axis, label in enumerate(labels) if label in _CHANNEL_LABELS]
    return axes[0] if len(axes) == 1 else None
