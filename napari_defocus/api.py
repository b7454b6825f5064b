"""Arrays in, arrays out: what the command line and the widgets call too.

Every function has a generator twin, ``..._steps``, with the same arguments less `progress`: it
yields a :class:`Progress` after every tile and returns the result, for use in worker threads.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from os import PathLike
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast

import numpy as np

from .array_types import Array, FloatArray
from .defocus_map import DefocusMap, check_map
from .errors import DefocusError, DeviceError, ImageError, ModelError, OptionError
from .image import dask_planes as lazy
from .image.layout import (
    Layout,
    as_array,
    as_planes,
    from_planes,
    is_dask,
    plane_indices,
    read_layout,
    write_window,
)
from .image.value_range import Range, Ranges, check_range, range_of_plane
from .inference.device import Compute, is_out_of_memory
from .inference.engine import Progress
from .inference.storage import MemoryStorage, Planes
from .models import ModelCard, find_model
from .models.registry import check_detail
from .pipeline.deblur import Deblur
from .pipeline.estimate import Estimate
from .pipeline.levels import check_downscale
from .pipeline.plane import Steps, Work
from .pipeline.progress import ProgressMeter
from .pipeline.render import Refocus

if TYPE_CHECKING:
    from torch import nn

    from .networks.descriptor import Task

__all__ = [
    "DefocusMap",
    "Progress",
    "deblur",
    "deblur_steps",
    "estimate_defocus",
    "estimate_defocus_steps",
    "reblur",
    "reblur_steps",
    "refocus",
    "refocus_steps",
]

P = ParamSpec("P")
R = TypeVar("R")


def _translated(steps: Callable[P, Steps[R]]) -> Callable[P, Steps[R]]:
    """Turn torch's errors, all RuntimeErrors, into DefocusErrors: workers lose RuntimeErrors."""

    @functools.wraps(steps)
    def translated(*args: P.args, **kwargs: P.kwargs) -> Steps[R]:
        try:
            return (yield from steps(*args, **kwargs))
        except (RuntimeError, MemoryError) as error:
            if isinstance(error, MemoryError) or is_out_of_memory(error):
                raise DeviceError(f"out of memory: {error or 'a smaller tile may help'}") from error
            raise DefocusError(f"the computation failed: {error}") from error

    return translated


def estimate_defocus(
    image: Any,
    right: Any = None,
    *,
    model: str | PathLike[str] | nn.Module = "auto",
    channel_axis: int | None = None,
    encoding: str = "auto",
    value_range: Ranges | None = None,
    scale: int | str = "auto",
    device: str = "auto",
    precision: str = "auto",
    tile: int | str | None = "auto",
    out: tuple[Any, Any] | None = None,
    progress: Callable[[int, int], object] | None = None,
) -> DefocusMap:
    """Tell how far out of focus every pixel is.

    Parameters
    ----------
    image : (..., Y, X) array
        Integers or real floats, NumPy or dask; with `channel_axis` somewhere, if it has color. The
        left view, if there are two.
    right : array, optional
        The right dual-pixel view, of the same shape and data type. Two views tell more reliably how
        far each pixel is out of focus, and on which side of the plane of focus it lies. Disparity
        is the radius but for a factor that depends on the lens. With the model that ships, the
        model for one image says it, once for each plane; a network that is given is left alone.
    model : str, path or torch.nn.Module
        "auto", the name of a model for one view or two (:func:`napari_defocus.list_models`), the
        path of one's own weights file, or a network with a ``descriptor``. "auto" takes one for
        microscopy where values are gray and linear, else one for photographs.
    channel_axis : int, optional
        The axis of 1 (gray), 3 (RGB) or 4 (RGB and alpha) channels; negative counts from the end.
        None: there is none, and all axes before Y and X hold planes that are handled one by one.
    encoding : {"auto", "srgb", "linear"}
        Whether values are display values or proportional to light. "auto" takes color and uint8
        for display values, all else for linear.
    value_range : (float, float), optional
        Values of black and white. By default the data type's for color and uint8 (0 and 1 for
        floats), else the smallest value and the 99.99th percentile of the whole array: so give it
        when one series comes in several arrays. An array of them, (..., 2), broadcasts over the
        axes before Y and X: one pair a fluorescence channel, for instance.
    scale : int or "auto"
        Work on the image shrunk by this factor. "auto": from coarse to fine, every pixel is taken
        from the scale at which its radius is one of the few pixels that networks estimate best. An
        image that shows that it was enlarged two or four times is looked at as it was before.
    device : str
        "auto" (the accelerator if there is one, else the CPU), "cpu", "cuda", "cuda:1", "mps", ...
        With "auto" the CPU takes over, with a warning, if the accelerator runs out of memory.
    precision : {"auto", "float32", "bfloat16"}
        Of the computation. "auto" is float32; bfloat16 can be faster, but its rounding shows, and
        tiles agree to about 0.005 of the range only.
    tile : int, None or "auto"
        Side in pixels of the tiles worked on at a time, halo not counted; None is the whole plane.
        "auto" follows from network and device: tiles of less than a second.
    out : (array, array), optional
        Where radius and confidence are written: float32 (..., Y, X), anything sliced like NumPy's,
        such as zarr's. Dask images are then worked on at once, and planes above 4.2 megapixels
        (of a single view) block by block: memory does not grow with them, and some 45 bytes a
        pixel of one plane lie in the system's folder for temporary files meanwhile.
    progress : callable, optional
        Called as ``progress(done, total)`` after every tile, in pixels of work; what it raises, for
        instance :class:`napari_defocus.Cancelled`, ends the work. Lazy arrays do not call it.

    Returns
    -------
    DefocusMap
        Radius, in pixels of the image, and confidence, each (..., Y, X) without channels; unpacks
        as the two. Signed with two views, which show defocus alone; else >= 0, the radius of the
        disk as wide, in mean square, as all blur together. Lazy if `image` is a dask array: both
        then come from one graph, so compute them together. Where the image is not finite, the
        radius is that of what lies around, and the confidence is 0.

    Raises
    ------
    ImageError
        If the image, its axes, data type or values cannot be used.
    ModelError
        If the model is unknown, damaged, or made for another task.
    OptionError
        If another argument lies outside what it accepts.
    DeviceError
        If the device is missing or runs out of memory.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.random.default_rng(0).random((64, 48), np.float32)
    >>> radius, confidence = estimate_defocus(image)
    >>> radius.shape, bool(radius.min() >= 0), bool(0 <= confidence.min() <= confidence.max() <= 1)
    ((64, 48), True, True)
    """
    steps = estimate_defocus_steps(
        image,
        right,
        model=model,
        channel_axis=channel_axis,
        encoding=encoding,
        value_range=value_range,
        scale=scale,
        device=device,
        precision=precision,
        tile=tile,
        out=out,
    )
    return _finish(steps, progress)


@_translated
def estimate_defocus_steps(
    image: Any,
    right: Any = None,
    *,
    model: str | PathLike[str] | nn.Module = "auto",
    channel_axis: int | None = None,
    encoding: str = "auto",
    value_range: Ranges | None = None,
    scale: int | str = "auto",
    device: str = "auto",
    precision: str = "auto",
    tile: int | str | None = "auto",
    out: tuple[Any, Any] | None = None,
) -> Steps[DefocusMap]:
    """Do what :func:`estimate_defocus` does, yielding a :class:`Progress` after every tile."""
    views = _read_views(image, right)
    layout = read_layout(views[0], channel_axis, encoding)
    check_range(value_range, layout.leading)
    work = Work(layout, Compute(device, precision, tile), check_downscale(scale))
    task: Task = "single" if right is None else "dual"
    network = _resolve(model, task, layout)
    estimate = Estimate(work, network)
    if is_dask(views[0]) and out is None:
        both = lazy.over_planes(
            functools.partial(_at_once, estimate),
            [lazy.lazy_planes(view, layout) for view in views],
            lazy.lazy_range(views[0], layout, value_range),
            channels=2,
            dtype=np.float32,
        )
        radius, confidence = both[..., 0, :, :], both[..., 1, :, :]
    else:
        radius, confidence = _new_maps(layout) if out is None else _check_maps(out, layout)
        black_white = lazy.range_of(views[0], layout, value_range)
        meter = estimate.meter()
        for index in plane_indices(layout):
            with work.storage(out if right is None else None) as storage:
                parts = [_read(as_planes(view, layout)[index], storage) for view in views]
                found = yield from estimate.steps(
                    *parts,
                    value_range=range_of_plane(black_white, index),
                    meter=meter,
                    storage=storage,
                )
                for block in storage.blocks(found.shape, 1):
                    place: Any = (*index, *block.slices)
                    radius[place], confidence[place] = found[:, *block.slices]
        yield Progress(meter.expected, meter.expected)
    return DefocusMap(radius, confidence, signed=task == "dual", model=_name(network))


def deblur(
    image: Any,
    defocus: Any = None,
    *,
    strength: float = 1.0,
    protect: float = 0.5,
    detail: str = "faithful",
    model: str | PathLike[str] | nn.Module = "auto",
    channel_axis: int | None = None,
    encoding: str = "auto",
    value_range: Ranges | None = None,
    scale: int | str = "auto",
    device: str = "auto",
    precision: str = "auto",
    tile: int | str | None = "auto",
    out: Any = None,
    progress: Callable[[int, int], object] | None = None,
) -> Any:
    """Bring back what defocus took away, and leave alone what is sharp.

    Parameters
    ----------
    image : (..., Y, X) array
        Integers or real floats, NumPy or dask; with `channel_axis` somewhere, if it has color.
    defocus : DefocusMap or array, optional
        How far each pixel is out of focus; estimated from the image if not given. An array holds
        radii in pixels of the image, of which the size counts; it may be painted by hand. (Y, X)
        serves all planes.
    strength : float
        0 returns the input, bit for bit; 1 is the network's result; between and up to 2, the change
        is scaled.
    protect : float
        Pixels whose radius is at most this many pixels come back untouched, those of twice that
        radius get the full result, with a smooth ramp between; 0 switches it off.
    detail : {"faithful", "natural"}
        How much may be inferred, which the model "auto" heeds: "faithful" brings back what the
        image still tells, for measuring and checking; "natural" was trained against an adversary,
        and adds fine detail that is likely rather than known.
    model : str, path or torch.nn.Module
        "auto", the name of a model for deblurring (:func:`napari_defocus.list_models`), the path of
        one's own weights file, or a network with a ``descriptor``. "auto" takes one for
        microscopy where values are gray and linear, else one for photographs.
    channel_axis : int, optional
        The axis of 1 (gray), 3 (RGB) or 4 (RGB and alpha) channels; negative counts from the end.
        None: there is none, and all axes before Y and X hold planes that are handled one by one.
    encoding : {"auto", "srgb", "linear"}
        Whether values are display values or proportional to light. "auto" takes color and uint8
        for display values, all else for linear.
    value_range : (float, float), optional
        Values of black and white. By default the data type's for color and uint8 (0 and 1 for
        floats), else the smallest value and the 99.99th percentile of the whole array: so give it
        when one series comes in several arrays. An array of them, (..., 2), broadcasts over the
        axes before Y and X: one pair a fluorescence channel, for instance.
    scale : int or "auto"
        Work on the image shrunk by this factor. "auto": every pixel is worked on at the finest
        scale at which the network knows the map's radius there (up to 24 pixels of that scale), but
        an image that shows that it was enlarged two or four times at most at its size before.
    device : str
        "auto" (the accelerator if there is one, else the CPU), "cpu", "cuda", "cuda:1", "mps", ...
        With "auto" the CPU takes over, with a warning, if the accelerator runs out of memory.
    precision : {"auto", "float32", "bfloat16"}
        Of the computation. "auto" is float32; bfloat16 can be faster, but its rounding shows, and
        tiles agree to about 0.005 of the range only.
    tile : int, None or "auto"
        Side in pixels of the tiles worked on at a time, halo not counted; None is the whole plane.
        "auto" follows from network and device: tiles of less than a second.
    out : array, optional
        Where the result is written: of the image's shape and data type, anything sliced like
        NumPy's, such as zarr's. Dask images are then worked on at once, and planes above 4.2
        megapixels block by block, as in :func:`estimate_defocus`.
    progress : callable, optional
        Called as ``progress(done, total)`` after every tile, in pixels of work; what it raises, for
        instance :class:`napari_defocus.Cancelled`, ends the work. Lazy arrays do not call it.

    Returns
    -------
    array
        Of the image's shape, data type and range; NumPy for NumPy, lazy for dask. Alpha is carried
        through; what is not finite stays as it is, and does not spread.

    Raises
    ------
    ImageError
        If the image, its axes, data type or values cannot be used.
    MapError
        If the map does not fit the image or holds impossible values.
    ModelError
        If the model is unknown, damaged, or made for another task.
    OptionError
        If another argument lies outside what it accepts.
    DeviceError
        If the device is missing or runs out of memory.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.random.default_rng(0).integers(0, 256, (64, 48, 3), np.uint8)
    >>> sharp = deblur(image, np.full((64, 48), 3.0), channel_axis=-1)
    >>> sharp.shape, sharp.dtype
    ((64, 48, 3), dtype('uint8'))
    """
    steps = deblur_steps(
        image,
        defocus,
        strength=strength,
        protect=protect,
        detail=detail,
        model=model,
        channel_axis=channel_axis,
        encoding=encoding,
        value_range=value_range,
        scale=scale,
        device=device,
        precision=precision,
        tile=tile,
        out=out,
    )
    return _finish(steps, progress)


@_translated
def deblur_steps(
    image: Any,
    defocus: Any = None,
    *,
    strength: float = 1.0,
    protect: float = 0.5,
    detail: str = "faithful",
    model: str | PathLike[str] | nn.Module = "auto",
    channel_axis: int | None = None,
    encoding: str = "auto",
    value_range: Ranges | None = None,
    scale: int | str = "auto",
    device: str = "auto",
    precision: str = "auto",
    tile: int | str | None = "auto",
    out: Any = None,
) -> Steps[Any]:
    """Do what :func:`deblur` does, yielding a :class:`Progress` after every tile."""
    image = as_array(image)
    layout = read_layout(image, channel_axis, encoding)
    check_range(value_range, layout.leading)
    work = Work(layout, Compute(device, precision, tile), check_downscale(scale))
    given = None if defocus is None else check_map(_alike(defocus, image), layout)
    job = Deblur(
        work,
        given is not None and given.signed,
        _resolve(model, "deblur", layout, detail),
        Estimate(work, _resolve("auto", "single", layout)) if given is None else None,
        _check_number("strength", strength, "a number from 0 to 2", 0, 2),
        _check_number("protect", protect, "a finite number of 0 or more", 0),
    )
    if out is not None:
        _check_out(out, layout.shape, layout.dtype)
    elif strength == 0:
        return image.copy()
    maps = [] if given is None else list(given)
    stages = 2 - (given is not None)
    return (yield from _each_plane(job, image, maps, value_range, stages=stages, out=out))


def reblur(
    sharp: Any,
    defocus: Any,
    *,
    channel_axis: int | None = None,
    encoding: str = "auto",
    value_range: Ranges | None = None,
    scale: int | str = "auto",
    device: str = "auto",
    precision: str = "auto",
    tile: int | str | None = "auto",
    progress: Callable[[int, int], object] | None = None,
) -> Any:
    """Blur a sharp image as the camera would have: what a deblurred image can be checked with.

    Light adds up linearly, with a uniform disk for every radius, in layers that hide each other.

    Parameters
    ----------
    sharp : (..., Y, X) array
        Integers or real floats, NumPy or dask; with `channel_axis` somewhere, if it has color.
    defocus : DefocusMap or array
        Signed radii in pixels of the image: positive lies in front of the plane of focus and hides
        what is farther. Of an unsigned map, and of an array without negative radii, everything out
        of focus is taken to lie behind that plane. (Y, X) serves all planes.
    channel_axis : int, optional
        The axis of 1 (gray), 3 (RGB) or 4 (RGB and alpha) channels; negative counts from the end.
        None: there is none, and all axes before Y and X hold planes that are handled one by one.
    encoding : {"auto", "srgb", "linear"}
        Whether values are display values or proportional to light. "auto" takes color and uint8
        for display values, all else for linear.
    value_range : (float, float), optional
        Values of black and white. By default the data type's for color and uint8 (0 and 1 for
        floats), else the smallest value and the 99.99th percentile of the whole array: so give it
        when one series comes in several arrays. An array of them, (..., 2), broadcasts over the
        axes before Y and X: one pair a fluorescence channel, for instance.
    scale : int or "auto"
        Work on the image shrunk by this factor, which is faster and loses what is sharp. "auto" is
        1, for blur of any radius can be rendered.
    device : str
        "auto" (the accelerator if there is one, else the CPU), "cpu", "cuda", "cuda:1", "mps", ...
        With "auto" the CPU takes over, with a warning, if the accelerator runs out of memory.
    precision : {"auto", "float32", "bfloat16"}
        Of the computation. "auto" is float32; bfloat16 can be faster, but its rounding shows, and
        tiles agree to about 0.005 of the range only.
    tile : int, None or "auto"
        Side in pixels of the tiles worked on at a time, halo not counted; None is the whole plane.
        "auto" follows from network and device: tiles of less than a second.
    progress : callable, optional
        Called as ``progress(done, total)`` after every tile, in pixels of work; what it raises, for
        instance :class:`napari_defocus.Cancelled`, ends the work. Lazy arrays do not call it.

    Returns
    -------
    array
        Of the image's shape, data type and range; NumPy for NumPy, lazy for dask.

    Raises
    ------
    ImageError
        If the image, its axes, data type or values cannot be used.
    MapError
        If the map does not fit the image or holds impossible values.
    OptionError
        If another argument lies outside what it accepts.
    DeviceError
        If the device is missing or runs out of memory.

    Examples
    --------
    >>> import numpy as np
    >>> spot = np.zeros((33, 33), np.float32)
    >>> spot[16, 16] = 1
    >>> blurred = reblur(spot, np.full((33, 33), 4.0), value_range=(0, 1))
    >>> round(1 / float(blurred.max()))  # the area of the disk
    50
    """
    steps = reblur_steps(
        sharp,
        defocus,
        channel_axis=channel_axis,
        encoding=encoding,
        value_range=value_range,
        scale=scale,
        device=device,
        precision=precision,
        tile=tile,
    )
    return _finish(steps, progress)


@_translated
def reblur_steps(
    sharp: Any,
    defocus: Any,
    *,
    channel_axis: int | None = None,
    encoding: str = "auto",
    value_range: Ranges | None = None,
    scale: int | str = "auto",
    device: str = "auto",
    precision: str = "auto",
    tile: int | str | None = "auto",
) -> Steps[Any]:
    """Do what :func:`reblur` does, yielding a :class:`Progress` after every tile."""
    return (
        yield from refocus_steps(
            sharp,
            defocus,
            focus=0.0,
            aperture=1.0,
            channel_axis=channel_axis,
            encoding=encoding,
            value_range=value_range,
            scale=scale,
            device=device,
            precision=precision,
            tile=tile,
        )
    )


def refocus(
    sharp: Any,
    defocus: Any,
    *,
    focus: float,
    aperture: float,
    channel_axis: int | None = None,
    encoding: str = "auto",
    value_range: Ranges | None = None,
    scale: int | str = "auto",
    device: str = "auto",
    precision: str = "auto",
    tile: int | str | None = "auto",
    progress: Callable[[int, int], object] | None = None,
) -> Any:
    """Focus a sharp image anew, at another distance and aperture.

    The radius of a thin lens's blur is linear in inverse depth, its slope proportional to the
    aperture: the new radius is ``aperture * (radius - focus)``, blurred as in :func:`reblur`.

    Parameters
    ----------
    sharp : (..., Y, X) array
        Integers or real floats, NumPy or dask; with `channel_axis` somewhere, if it has color.
    defocus : DefocusMap or array
        Signed radii in pixels of the image: positive lies in front of the plane of focus and hides
        what is farther. Of an unsigned map, and of an array without negative radii, everything out
        of focus is taken to lie behind that plane. (Y, X) serves all planes.
    focus : float
        Radius, in pixels and signed, of what is to be in focus: read it from the map.
    aperture : float
        Diameter of the new aperture, 0 or more, in units of the one the map was taken with.
    channel_axis : int, optional
        The axis of 1 (gray), 3 (RGB) or 4 (RGB and alpha) channels; negative counts from the end.
        None: there is none, and all axes before Y and X hold planes that are handled one by one.
    encoding : {"auto", "srgb", "linear"}
        Whether values are display values or proportional to light. "auto" takes color and uint8
        for display values, all else for linear.
    value_range : (float, float), optional
        Values of black and white. By default the data type's for color and uint8 (0 and 1 for
        floats), else the smallest value and the 99.99th percentile of the whole array: so give it
        when one series comes in several arrays. An array of them, (..., 2), broadcasts over the
        axes before Y and X: one pair a fluorescence channel, for instance.
    scale : int or "auto"
        Work on the image shrunk by this factor, which is faster and loses what is sharp. "auto" is
        1, for blur of any radius can be rendered.
    device : str
        "auto" (the accelerator if there is one, else the CPU), "cpu", "cuda", "cuda:1", "mps", ...
        With "auto" the CPU takes over, with a warning, if the accelerator runs out of memory.
    precision : {"auto", "float32", "bfloat16"}
        Of the computation. "auto" is float32; bfloat16 can be faster, but its rounding shows, and
        tiles agree to about 0.005 of the range only.
    tile : int, None or "auto"
        Side in pixels of the tiles worked on at a time, halo not counted; None is the whole plane.
        "auto" follows from network and device: tiles of less than a second.
    progress : callable, optional
        Called as ``progress(done, total)`` after every tile, in pixels of work; what it raises, for
        instance :class:`napari_defocus.Cancelled`, ends the work. Lazy arrays do not call it.

    Returns
    -------
    array
        Of the image's shape, data type and range; NumPy for NumPy, lazy for dask.

    Raises
    ------
    ImageError
        If the image, its axes, data type or values cannot be used.
    MapError
        If the map does not fit the image or holds impossible values.
    OptionError
        If another argument lies outside what it accepts.
    DeviceError
        If the device is missing or runs out of memory.

    Examples
    --------
    >>> import numpy as np
    >>> image = np.random.default_rng(0).integers(0, 256, (32, 32), np.uint8)
    >>> same = refocus(image, np.full((32, 32), 5.0), focus=5.0, aperture=2.0)
    >>> bool((same == image).all())
    True
    """
    steps = refocus_steps(
        sharp,
        defocus,
        focus=focus,
        aperture=aperture,
        channel_axis=channel_axis,
        encoding=encoding,
        value_range=value_range,
        scale=scale,
        device=device,
        precision=precision,
        tile=tile,
    )
    return _finish(steps, progress)


@_translated
def refocus_steps(
    sharp: Any,
    defocus: Any,
    *,
    focus: float,
    aperture: float,
    channel_axis: int | None = None,
    encoding: str = "auto",
    value_range: Ranges | None = None,
    scale: int | str = "auto",
    device: str = "auto",
    precision: str = "auto",
    tile: int | str | None = "auto",
) -> Steps[Any]:
    """Do what :func:`refocus` does, yielding a :class:`Progress` after every tile."""
    image = as_array(sharp)
    layout = read_layout(image, channel_axis, encoding)
    work = Work(layout, Compute(device, precision, tile), check_downscale(scale))
    given = check_map(_alike(defocus, image), layout)
    job = Refocus(
        work,
        given.signed,
        _check_number("focus", focus, "a finite number"),
        _check_number("aperture", aperture, "a finite number of 0 or more", 0),
    )
    return (yield from _each_plane(job, image, list(given), value_range, stages=1))


def _each_plane(
    job: Deblur | Refocus,
    image: Any,
    maps: list[Any],
    value_range: Ranges | None,
    *,
    stages: int,
    out: Any = None,
) -> Steps[Any]:
    """Give every plane and its radius and confidence, if any, to `job`; return the new image."""
    layout = job.work.layout
    check_range(value_range, layout.leading)
    if is_dask(image) and out is None:
        planes = lazy.over_planes(
            functools.partial(_at_once, job),
            [lazy.lazy_planes(image, layout), *(lazy.lazy_map(part, layout) for part in maps)],
            lazy.lazy_range(image, layout, value_range),
            channels=layout.channels,
            dtype=layout.dtype,
        )
        return from_planes(planes, layout)
    black_white = lazy.range_of(image, layout, value_range)
    result = np.empty(layout.shape, layout.dtype) if out is None else out
    meter = job.work.meter(stages)
    for index in plane_indices(layout):
        with job.work.storage(out) as storage:
            views = [as_planes(image, layout)[index], *(part[index][None] for part in maps)]
            parts = [_read(view, storage) for view in views]
            known = range_of_plane(black_white, index)
            new = yield from job.steps(*parts, value_range=known, meter=meter, storage=storage)
            for block in storage.blocks(layout.map_shape, 1):
                write_window(result, layout, index, block.slices, new[:, *block.slices])
    yield Progress(meter.expected, meter.expected)
    return result


def _read(plane: Any, storage: MemoryStorage) -> Planes:
    """A plane (C, Y, X) of NumPy or dask, read as a whole or window by window as there is storage."""  # noqa: E501
    return storage.view(plane.shape, lambda *part: np.asarray(plane[:, *part]))


def _new_maps(layout: Layout) -> tuple[FloatArray, FloatArray]:
    both = np.empty((2, *layout.map_shape), np.float32)
    return both[0], both[1]


def _check_maps(out: Any, layout: Layout) -> tuple[Any, Any]:
    try:
        radius, confidence = out
    except (TypeError, ValueError):
        raise OptionError("out should be two arrays, for radius and confidence") from None
    for part in (radius, confidence):
        _check_out(part, layout.map_shape, np.dtype(np.float32))
    return radius, confidence


def _check_out(out: Any, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
    """Refuse an array that the result does not fit into."""
    found = getattr(out, "shape", None), getattr(out, "dtype", None)
    if found != (shape, dtype):
        raise OptionError(f"out has {found[1]} {found[0]}; {dtype} {shape} is expected")


def _at_once(job: Estimate | Deblur | Refocus, *planes: Array, value_range: Range) -> Array:
    """Do the work of one plane inside a task of dask, where no one asks for progress."""

    @_translated
    def steps() -> Steps[Array]:
        meter, storage = ProgressMeter(0), MemoryStorage()
        found = yield from job.steps(*planes, value_range=value_range, meter=meter, storage=storage)
        return found[:, :, :]

    return _finish(steps(), None)


def _finish(steps: Steps[R], progress: Callable[[int, int], object] | None) -> R:
    """Drain the steps, telling `progress` of each; whatever that raises ends the work."""
    if progress is not None and not callable(progress):
        raise OptionError(f"progress is {progress!r}; a function of (done, total) is expected")
    try:
        while True:
            step = next(steps)
            if progress is not None:
                progress(step.done, step.total)
    except StopIteration as stop:
        return cast(R, stop.value)
    finally:
        steps.close()


def _read_views(image: Any, right: Any) -> list[Any]:
    """Return one view or two as arrays of the same kind, shape and data type."""
    if right is None:
        return [as_array(image)]
    views = [as_array(image), as_array(right)]
    left, other = views
    if left.shape != other.shape or left.dtype != other.dtype:
        raise ImageError(
            f"the views differ: {left.dtype} {left.shape} and {other.dtype} {other.shape}; "
            "shape and data type must be equal"
        )
    if is_dask(left) != is_dask(other):
        import dask.array

        views = [dask.array.asarray(view) for view in views]
    return views


def _alike(defocus: Any, image: Any) -> Any:
    """Compute a lazy map if the image is not lazy."""
    if is_dask(image) or not any(map(is_dask, _parts(defocus))):
        return defocus
    import dask

    computed = dask.compute(*_parts(defocus))
    if not isinstance(defocus, DefocusMap):
        return computed[0]
    return DefocusMap(computed[0], computed[1], defocus.signed, defocus.model)


def _parts(defocus: Any) -> tuple[Any, ...]:
    return tuple(defocus) if isinstance(defocus, DefocusMap) else (defocus,)


def _resolve(
    model: str | PathLike[str] | nn.Module, task: Task, layout: Layout, detail: str = "faithful"
) -> ModelCard | nn.Module:
    """Find a model, or accept a network that is at hand."""
    if isinstance(model, str | PathLike):
        return find_model(model, task, detail, layout.imaging)
    check_detail(detail, type(model).__name__)
    descriptor = getattr(model, "descriptor", None)
    if getattr(descriptor, "task", None) != task:
        raise ModelError(
            f"model is a {type(model).__name__}; a name, a path, or a network with a descriptor "
            f"of task {task!r} is expected"
        )
    return model


def _name(model: ModelCard | nn.Module) -> str:
    return getattr(model, "name", type(model).__name__)


def _check_number(
    name: str, value: Any, accepted: str, least: float = -np.inf, most: float = np.inf
) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = np.nan
    if not (np.isfinite(number) and least <= number <= most):
        raise OptionError(f"{name} is {value!r}; {accepted} is expected")
    return number
