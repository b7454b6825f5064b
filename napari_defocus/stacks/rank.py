"""Images ranked by how sharp they are, near-duplicates side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from os import PathLike
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from ..array_types import FloatArray
from ..errors import ImageError, OptionError
from ..image.layout import as_array, as_planes
from ..image.value_range import Ranges
from ..inference.engine import Progress
from ..jobs import EstimateJob
from ..options import Options
from ..pipeline.plane import Steps, translate_errors
from ..steps import run_to_end
from ..views import Views
from .job import FocusJob

if TYPE_CHECKING:
    from torch import nn

#: Side of the small copies that are compared, and their least correlation in near-duplicates.
_SMALL, _ALIKE = 24, 0.9


@dataclass(frozen=True)
class ImageFocus:
    """Focus of one image, before it is compared with others.

    Parameters
    ----------
    radius, share_in_focus, confidence : float
        As in :class:`RankedImage`.
    small : (24, 24) float32 array
        Small gray copy, of mean 0 and norm 1.
    """

    radius: float
    share_in_focus: float
    confidence: float
    small: FloatArray


@dataclass(frozen=True)
class RankedImage:
    """Place of an image among others; made by :func:`napari_defocus.rank_focus`.

    Parameters
    ----------
    index : int
        Number of the image, from 0.
    radius : float
        Mean radius in pixels of the sharpest twentieth of its tiles; NaN if nothing tells it.
    share_in_focus : float
        Share of its pixels whose radius is at most 1 pixel.
    confidence : float
        Mean confidence of the radii, 0 to 1.
    group : int
        Number that near-duplicates have in common: the index of the sharpest of them.
    alike : int
        Number of images in that group, this one included.

    See Also
    --------
    rank_focus : rank images
    focus_profile : tell which plane of a stack is sharp

    Notes
    -----
    Near-duplicates are images whose small copies are correlated by 0.9 or more.

    Examples
    --------
    >>> RankedImage(4, 0.7, 0.3, 0.8, 4, 3).statement
    'its sharpest parts are 0.7 px out of focus, 30 % is in focus; the sharpest of 3 alike'
    """

    index: int
    radius: float
    share_in_focus: float
    confidence: float
    group: int
    alike: int

    @property
    def is_best(self) -> bool:
        """Whether it is the sharpest of its near-duplicates."""
        return self.index == self.group

    @property
    def statement(self) -> str:
        """Why it has its place, in a line."""
        if np.isnan(self.radius):
            return "nothing to judge by"
        text = (
            f"its sharpest parts are {self.radius:.1f} px out of focus, "
            f"{100 * self.share_in_focus:.0f} % is in focus"
        )
        if self.alike == 1:
            return text
        if self.is_best:
            return f"{text}; the sharpest of {self.alike} alike"
        return f"{text}; another one of {self.alike} alike is sharper"


def rank_focus(
    images: Iterable[Any],
    *,
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
) -> list[RankedImage]:
    """Rank images by how sharp their sharpest parts are: a burst, or a folder.

    Parameters
    ----------
    images : iterable of (Y, X) arrays
        Of one plane each, of any size; colors: `channel_axis`. They are taken one at a time.
    model : str, path or torch.nn.Module
        Model that estimates the maps, as for :func:`estimate_defocus`.
    channel_axis, encoding, value_range, imaging, nodata, range_axis, optics
        How values are read: see :class:`napari_defocus.Options`.
    downscale, device, precision, tile
        How to compute: see :class:`napari_defocus.Options`.
    progress : callable, optional
        As for :func:`estimate_defocus`, for one image after another.

    Returns
    -------
    list of RankedImage
        The sharpest first; images that tell nothing last.

    Raises
    ------
    ImageError, ModelError, OptionError, DeviceError
        As :func:`estimate_defocus`; ImageError too if an image holds several planes, OptionError if
        there is no image.

    See Also
    --------
    focus_profile : tell which plane of a stack is sharp

    Notes
    -----
    The sharpest twentieth of the tiles counts: the subject, not the background. Radii are in pixels
    of each image, so images should be of one size to be compared.

    Examples
    --------
    >>> images = np.random.default_rng(0).integers(0, 256, (2, 32, 48), np.uint8)
    >>> [image.statement for image in rank_focus(images)]
    ['nothing to judge by', 'nothing to judge by']
    """
    options = Options(
        channel_axis, encoding, value_range, downscale, device, precision, tile, imaging, nodata,
        range_axis, optics,
    )  # fmt: skip
    measures = [
        run_to_end(
            translate_errors(measure_image(image, model, options, f"image {number}")), progress
        )
        for number, image in enumerate(images)
    ]
    return rank_measures(measures)


def measure_image(image: Any, model: Any, options: Options, name: str) -> Steps[ImageFocus]:
    """Return the focus of an image of one plane, yielding after every tile."""
    array = np.asarray(as_array(image))
    layout = EstimateJob(Views(array), model, options).layout
    if layout.leading:
        raise ImageError(
            f"{name} has shape {array.shape}, which holds several planes; give one plane at a "
            "time, or profile it as a stack"
        )
    axis = layout.channel_axis
    options = replace(options, channel_axis="none" if axis is None else axis + 1)
    profile = yield from FocusJob(array[None], 0, model, options).steps()
    yield Progress(1, 1)
    return ImageFocus(
        float(profile.sharpest[0]),
        float(profile.share_in_focus[0]),
        float(profile.confidence[0]),
        _small_copy(as_planes(array, layout)[:3]),
    )


def rank_measures(measures: Sequence[ImageFocus]) -> list[RankedImage]:
    """Return images from the sharpest to the least sharp, near-duplicates named."""
    if not measures:
        raise OptionError("there is no image; give at least one")
    order = sorted(range(len(measures)), key=lambda i: _key(measures[i], i))
    groups: dict[int, int] = {}
    for number in order:  # the sharpest of a group comes first, and names it
        alike = (other for other in groups if _are_alike(measures[number], measures[other]))
        groups[number] = groups.get(next(alike, -1), number)
    sizes = {group: sum(other == group for other in groups.values()) for group in groups.values()}
    return [
        RankedImage(
            number,
            measures[number].radius,
            measures[number].share_in_focus,
            measures[number].confidence,
            groups[number],
            sizes[groups[number]],
        )
        for number in order
    ]


def _key(measure: ImageFocus, number: int) -> tuple[float, float, int]:
    return float(np.nan_to_num(measure.radius, nan=np.inf)), -measure.share_in_focus, number


def _are_alike(first: ImageFocus, second: ImageFocus) -> bool:
    return float(np.vdot(first.small, second.small)) >= _ALIKE


def _small_copy(planes: Any) -> FloatArray:
    from skimage.transform import resize

    gray = np.nan_to_num(planes.astype(np.float32).mean(axis=0), posinf=0, neginf=0)
    small = resize(gray, (_SMALL, _SMALL), anti_aliasing=True)
    small = small - small.mean()
    return cast(FloatArray, small / max(float(np.linalg.norm(small)), 1e-12))
