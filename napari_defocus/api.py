"""Public functions: arrays in, arrays out.

Each builds a job of :mod:`napari_defocus.jobs` and runs it; the jobs say more of their accuracy.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from os import PathLike
from typing import TYPE_CHECKING, Any

from .deblur_settings import DeblurSettings
from .defocus_map import DefocusMap
from .evidence.check_result import Check
from .image.value_range import Ranges
from .jobs import CheckJob, DeblurJob, EstimateJob, RefocusJob
from .options import Options
from .spread import check_runs, run_checked
from .views import Views

if TYPE_CHECKING:
    from torch import nn

__all__ = ["check", "deblur", "estimate_defocus", "measure_range", "reblur", "refocus"]


def estimate_defocus(
    image: Any,
    *,
    right: Any = None,
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
    out: tuple[Any, Any] | None = None,
    progress: Callable[[int, int], object] | None = None,
) -> DefocusMap:
    """Estimate how far out of focus every pixel is.

    Parameters
    ----------
    image : (..., Y, X) array
        Integers or real floats: NumPy, dask, zarr or h5py. Colors lie on
        the axis that `channel_axis` names. The left view, if there are two.
    right : array, optional
        The right dual-pixel view, of the same shape and data type: two views tell the radius more
        reliably, and on which side of the plane of focus each pixel lies.
    model : str, path or torch.nn.Module
        "auto", the name of a model for one view or two (:func:`napari_defocus.list_models`), the
        path of your own weights file, or a network with a ``descriptor``.
    channel_axis, encoding, value_range, imaging, nodata, range_axis, optics
        How values are read: see :class:`napari_defocus.Options`.
    downscale, device, precision, tile
        How to compute: see :class:`napari_defocus.Options`.
    out : (array, array), optional
        Where radius and confidence are written: float32 (..., Y, X), sliced like NumPy's arrays.
        dask images are then processed at once, and large planes of one view block by block.
    progress : callable, optional
        Called as ``progress(done, total)`` after every tile, in pixels of work. Whatever it raises,
        such as :class:`napari_defocus.Canceled`, ends the work. Lazy arrays do not call it.

    Returns
    -------
    DefocusMap
        Radius, in pixels of the image, and confidence, each (..., Y, X) without channels; unpacks
        as the two. Signed with two views, otherwise >= 0. Lazy if `image` is a dask array and `out`
        is not given; both arrays come from one graph, so compute them together.

    Raises
    ------
    ImageError, ModelError, OptionError, DeviceError
        If the image, the model, another argument or the device cannot be used.

    See Also
    --------
    deblur : restore an image by its map
    reblur : blur a restored image by the map, to compare it with the source

    Notes
    -----
    On 64 rendered scenes of radii up to 12 pixels, the mean error is 0.50 px from one image and
    0.39 px from two views. A part of a linear image gives what the whole gives with the whole's
    `value_range` (:func:`measure_range`). More: :class:`napari_defocus.EstimateJob`.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.random.default_rng(0).random((64, 48), np.float32)
    >>> radius, confidence = estimate_defocus(image)
    >>> radius.shape, bool(radius.min() >= 0), bool(0 <= confidence.min() <= confidence.max() <= 1)
    ((64, 48), True, True)
    """
    options = Options(
        channel_axis, encoding, value_range, downscale, device, precision, tile, imaging, nodata,
        range_axis, optics,
    )  # fmt: skip
    return EstimateJob(Views(image, right), model, options, out).run(progress)


def deblur(
    image: Any,
    defocus: Any = None,
    *,
    strength: float = DeblurSettings.strength,
    protect_radius: float = DeblurSettings.protect_radius,
    bokeh_radius: float | str = DeblurSettings.bokeh_radius,
    amount: float = DeblurSettings.amount,
    detail: str = DeblurSettings.detail,
    model: str | PathLike[str] | nn.Module = DeblurSettings.model,
    map_model: str | PathLike[str] | nn.Module = DeblurSettings.map_model,
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
    stack_axis: int | None = DeblurJob.stack_axis,
    out: Any = None,
    check: bool = False,
    spread: int = 0,
    progress: Callable[[int, int], object] | None = None,
) -> Any:
    """Restore the detail that defocus took away, and leave sharp pixels as they are.

    Parameters
    ----------
    image : (..., Y, X) array
        Integers or real floats: NumPy, dask, zarr or h5py. Colors: `channel_axis`.
    defocus : DefocusMap or array, optional
        How far each pixel is out of focus; estimated from the image by default. An array holds
        radii in pixels of the image, whose sign does not matter. (Y, X) serves all planes.
    strength, protect_radius, bokeh_radius, amount, detail, model, map_model
        How much is changed, and by which models: see :class:`napari_defocus.DeblurSettings`.
    channel_axis, encoding, value_range, imaging, nodata, range_axis, optics
        How values are read: see :class:`napari_defocus.Options`.
    downscale, device, precision, tile
        How to compute: see :class:`napari_defocus.Options`.
    stack_axis : int, optional
        Axis of a z-stack of micrographs, in the array as it is. Each plane is then restored from
        its two neighbors too, where they show the same specimen. It takes about a third longer.
    out : array, optional
        Where the result is written: of the image's shape and data type, sliced like NumPy's arrays.
        dask images are then processed at once, and large planes block by block.
    check : bool
        Return a :class:`napari_defocus.Check` of the result beside it.
    spread : int
        Number of further runs, 0 to 64, from which `check` tells the spread of the result; 4 say
        enough. Each takes as long as deblurring. Needs an image in memory.
    progress : callable, optional
        As for :func:`estimate_defocus`.

    Returns
    -------
    array, or (array, Check)
        Of the image's shape, data type and range; alpha is carried through, NaN stays NaN. `out` if
        given; otherwise lazy for dask, one task a plane, and NumPy for anything else.

    Raises
    ------
    ImageError, MapError, ModelError, OptionError, DeviceError
        If the image, the map, a model, another argument or the device cannot be used.

    See Also
    --------
    estimate_defocus : estimate the map, to edit it or to use it for several results
    check : mark detail of a result that the image does not support

    Notes
    -----
    "faithful" gains 1.02 dB of PSNR on seven photographs. A part of a linear image gives what the
    whole gives with the whole's `value_range` (:func:`measure_range`). More: :class:`DeblurJob`.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.random.default_rng(0).integers(0, 256, (64, 48, 3), np.uint8)
    >>> sharp = deblur(image, np.full((64, 48), 3.0), channel_axis=-1)
    >>> sharp.shape, sharp.dtype
    ((64, 48, 3), dtype('uint8'))
    """
    settings = DeblurSettings(
        strength, protect_radius, bokeh_radius, amount, detail, model, map_model
    )
    options = Options(
        channel_axis, encoding, value_range, downscale, device, precision, tile, imaging, nodata,
        range_axis, optics,
    )  # fmt: skip
    job = DeblurJob(image, defocus, settings, options, out, stack_axis=stack_axis)
    runs = check_runs(spread, check=check)
    return run_checked(job, runs, progress) if check else job.run(progress)


def check(
    image: Any,
    sharp: Any,
    defocus: Any = None,
    *,
    false_alarms: float = Check.false_alarms,
    model: str | PathLike[str] | nn.Module = EstimateJob.model,
    pupil: Any = CheckJob.pupil,
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
) -> Check:
    """Mark detail of a sharp picture that the image it was made from does not support.

    Parameters
    ----------
    image, sharp : (..., Y, X) array
        The image, as for :func:`deblur`, and its sharp version, whoever made it: of the same shape.
    defocus : DefocusMap or array, optional
        The map of the image, as for :func:`reblur`; by default `model` estimates it.
    false_alarms : float
        Share of honest pixels that may be flagged.
    model : str, path or torch.nn.Module
        The model that estimates the map, as for :func:`estimate_defocus`.
    pupil : str, path or array
        Shape of the lens's blur, as for :func:`refocus`: give that of your lens if you know it.
        "auto": the one that explains the image best, which takes longer.
    channel_axis, encoding, value_range, imaging, nodata, range_axis, optics
        How values are read: see :class:`napari_defocus.Options`.
    downscale, device, precision, tile
        How to compute: see :class:`napari_defocus.Options`.
    progress : callable, optional
        As for :func:`estimate_defocus`.

    Returns
    -------
    Check
        Scores and shares per pixel, regions, and a verdict. Lazy for dask.

    Raises
    ------
    ImageError, MapError, ModelError, OptionError, FileError, DeviceError
        As :func:`deblur`; also if the two pictures differ in shape, or `pupil` is not accepted.

    See Also
    --------
    deblur : make a sharper picture, and check it
    reblur : blur it again, to compare by eye

    Notes
    -----
    An invention that blur hides cannot be flagged: it is inferred. More: `CheckJob`.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.random.default_rng(0).integers(0, 256, (64, 48), np.uint8)
    >>> round(check(image, image, np.zeros((64, 48))).score.flagged, 2)
    0.0
    """
    options = Options(
        channel_axis, encoding, value_range, downscale, device, precision, tile, imaging, nodata,
        range_axis, optics,
    )  # fmt: skip
    return CheckJob(image, sharp, defocus, false_alarms, model, options, pupil).run(progress)


def reblur(
    sharp: Any,
    defocus: Any,
    *,
    pupil: Any = RefocusJob.pupil,
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
    out: Any = None,
    progress: Callable[[int, int], object] | None = None,
) -> Any:
    """Blur a sharp image as the camera would have, to check a deblurred image against its source.

    Light adds up, in layers that hide each other.

    Parameters
    ----------
    sharp : (..., Y, X) array
        Integers or real floats: NumPy, dask, zarr or h5py. Colors: `channel_axis`.
    defocus : DefocusMap or array
        Signed radii in pixels of the image: positive lies in front of the plane of focus and hides
        what is farther. In an unsigned map, or an array without negative radii, everything out of
        focus is taken to lie behind that plane. (Y, X) serves all planes.
    pupil : str, path or array
        Shape of the lens's blur, as for :func:`refocus`.
    channel_axis, encoding, value_range, imaging, nodata, range_axis, optics
        How values are read: see :class:`napari_defocus.Options`.
    downscale, device, precision, tile
        How to compute: see :class:`napari_defocus.Options`. ``downscale`` "auto" is 1 here.
    out, progress
        As for :func:`deblur`.

    Returns
    -------
    array
        As :func:`deblur` returns it.

    Raises
    ------
    ImageError, MapError, OptionError, FileError, DeviceError
        As :func:`deblur`; also if `pupil` is not accepted.

    See Also
    --------
    deblur : make the sharp image
    refocus : blur with another focus and aperture

    Notes
    -----
    What objects hide is unknown: see `RefocusJob`.

    Examples
    --------
    >>> import numpy as np
    >>> spot = np.zeros((33, 33), np.float32)
    >>> spot[16, 16] = 1
    >>> blurred = reblur(spot, np.full((33, 33), 4.0), value_range=(0, 1))
    >>> round(1 / float(blurred.max()))  # the area of the disk
    50
    """
    options = Options(
        channel_axis, encoding, value_range, downscale, device, precision, tile, imaging, nodata,
        range_axis, optics,
    )  # fmt: skip
    return RefocusJob(sharp, defocus, options=options, out=out, pupil=pupil).run(progress)


def refocus(
    sharp: Any,
    defocus: Any,
    *,
    focus: float | Sequence[float],
    aperture: float,
    pupil: Any = RefocusJob.pupil,
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
    out: Any = None,
    progress: Callable[[int, int], object] | None = None,
) -> Any:
    """Render a sharp image with another focus distance and aperture.

    The new radius is ``aperture * (radius - focus)``, as of a thin lens.

    Parameters
    ----------
    sharp, defocus
        As for :func:`reblur`.
    focus : float or sequence of float
        Radius, in pixels and signed, of what is to be in focus: read it from the map. Several make
        a focal stack: a picture for each, along a new first axis.
    aperture : float
        Diameter of the new aperture, 0 or more, in units of the one the map was taken with.
    pupil : str, path or array
        Shape of the blur. "disk"; "polygon:6", a polygon of so many corners and the area of the
        disk; "ring:0.5", with a dark middle of so many radii; "cats-eye:0.6", the part of a disk
        that another one, so many radii beside it, covers. An array (H, W): a kernel of your lens,
        whose radius is that of the disk as wide in mean square; (R, S, S): its kernels of radius 0,
        1, ... px. They are as seen behind the plane of focus, and turned by half a turn in front of
        it. Or a .safetensors file of kernels that ``python -m training lbk`` wrote.
    channel_axis, encoding, value_range, imaging, nodata, range_axis, optics
        How values are read: see :class:`napari_defocus.Options`.
    downscale, device, precision, tile
        How to compute: see :class:`napari_defocus.Options`. ``downscale`` "auto" is 1 here.
    out, progress
        As for :func:`deblur`.

    Returns
    -------
    array
        As of :func:`reblur`; for several focuses (N, ..., Y, X).

    Raises
    ------
    ImageError, MapError, OptionError, FileError, DeviceError
        As :func:`deblur`; also if `pupil` is not accepted.

    See Also
    --------
    reblur : blur as the camera did
    deblur : make the sharp image

    Notes
    -----
    Where the sign of a radius is wrong, objects come into focus on the wrong side.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.random.default_rng(0).integers(0, 256, (32, 32), np.uint8)
    >>> same = refocus(image, np.full((32, 32), 5.0), focus=5.0, aperture=2.0)
    >>> bool((same == image).all())
    True
    >>> refocus(image, np.full((32, 32), 5.0), focus=[0.0, 2.5, 5.0], aperture=1.0).shape
    (3, 32, 32)
    """
    options = Options(
        channel_axis, encoding, value_range, downscale, device, precision, tile, imaging, nodata,
        range_axis, optics,
    )  # fmt: skip
    job = RefocusJob(sharp, defocus, focus, aperture, options, out, pupil=pupil)
    return job.run(progress)


def measure_range(
    image: Any,
    *,
    channel_axis: int | str | None = Options.channel_axis,
    encoding: str = Options.encoding,
    imaging: str = Options.imaging,
    nodata: float | str = Options.nodata,
    range_axis: int | None = Options.range_axis,
) -> Ranges:
    """Return the values of black and white that the other functions would take.

    Give them as ``value_range`` when a part of an image is to look as it does in the whole.

    Parameters
    ----------
    image : (..., Y, X) array
        As for :func:`deblur`.
    channel_axis, encoding, imaging, nodata, range_axis
        See :class:`napari_defocus.Options`.

    Returns
    -------
    (float, float) or (..., 2) array
        Black and white, in the image's own values, as :class:`napari_defocus.Options` describes
        them. An array if planes or channels have ranges of their own.

    Raises
    ------
    ImageError, OptionError
        As :func:`deblur`.

    See Also
    --------
    Options : where the range is given, also one for each channel

    Notes
    -----
    One pixel in ten thousand may be brighter than white. Outliers are left out: see `Options`.

    Examples
    --------
    >>> import numpy as np
    >>> measure_range(np.zeros((8, 8), np.uint8))
    (0.0, 255.0)
    """
    options = Options(channel_axis, encoding, imaging=imaging, nodata=nodata, range_axis=range_axis)
    return EstimateJob(Views(image), options=options).value_range
