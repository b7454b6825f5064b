"""Writing of image files, with the metadata of the file that the image was made from."""

from collections import deque
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ..array_types import Array
from ..errors import FileError, ImageError, reason
from .atomic import atomic_file
from .formats import StrPath, import_function, target_format
from .picture import Metadata, Picture
from .streaming import open_streaming


def write_picture(
    path: StrPath,
    data: npt.ArrayLike,
    like: Picture | None = None,
    *,
    channel_axis: int | None = None,
    overwrite: bool = False,
) -> None:
    """Write an image in the format that the suffix names.

    An image of the same shape and type as `like` gets all its metadata that the format can hold:
    EXIF, color profile, XMP, IPTC, texts, resolution, fields of ImageJ and OME, and the alpha
    channel of a gray picture. An image of another type or without the colors, such as a defocus
    map, gets the metadata that still apply: resolution, axes, sizes, units and channel names.

    Parameters
    ----------
    path : path
        ``.tif`` and ``.tiff`` hold everything; ``.ome.tif`` is OME-TIFF, and pictures from OME-TIFF
        and ImageJ files are written as such. ``.png`` holds gray or color of uint8 or uint16, and
        so does ``.jxl``, without loss, for the colors of sRGB, P3 and BT.2100. ``.avif`` holds 8,
        10 or 12 bits at quality 95; colors of uint16 are rounded to 12, gray of more is refused.
        ``.jpg`` and ``.jpeg`` hold uint8 without alpha, at quality 95; colors of uint16 are
        rounded to 8 bits, as they are display values, gray uint16 is refused. ``.webp`` holds
        colors of uint8 without loss, those of uint16 rounded to 8 bits, and stacks as films.
        ``.zarr`` and ``.ome.zarr`` are folders that hold OME-Zarr, without colors.
    data : array
        Image of the shape of `like`, or of its shape without colors. Without `like`, (..., Y, X)
        and a color axis if `channel_axis` names one.
    like : Picture, optional
        Picture that the image was made from.
    channel_axis : int, optional
        Axis of 3 or 4 color samples. With `like`, the axis of `like` that the image may lack, by
        default its color axis.
    overwrite : bool
        Replace an existing file.

    Raises
    ------
    FileError
        If the file exists, cannot hold such data, or cannot be written; then nothing is written.
    ImageError
        If the shape does not fit.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_picture(f"{folder}/ramp.png", np.eye(4, dtype=np.uint8))
    ...     [path.name for path in Path(folder).iterdir()]
    ['ramp.png']
    """
    path = Path(path)
    file_format = target_format(path)
    picture = as_picture(np.asarray(data), like, channel_axis)
    if file_format.is_folder:
        with open_streaming(path, picture, overwrite=overwrite) as target:
            target.array[...] = picture.data
            deque(target.complete(), maxlen=0)
        return
    with atomic_file(path, overwrite=overwrite) as file:
        try:
            import_function(file_format.writer)(file, picture, path)
        except OSError:  # a FileError, or one that `atomic_file` words
            raise
        except Exception as error:  # encoders raise any exception for data they cannot hold
            raise FileError(f"{path} cannot be written: {reason(error)}") from error


def check_fits(path: StrPath, picture: Picture) -> None:
    """Refuse a picture that a file of this name cannot hold.

    Parameters
    ----------
    path : path
        File to be written later.
    picture : Picture
        Picture of the shape and type to be written.

    Raises
    ------
    FileError
        If the suffix is unknown, or names a format that cannot hold it.
    """
    path = Path(path)
    file_format = target_format(path)
    if not (file_format.is_streamed or isinstance(picture.data, np.ndarray)):
        raise FileError(f"{path} cannot hold what is too large for memory; write a .tif or .zarr")
    if file_format.checker:
        import_function(file_format.checker)(picture, path)


def as_picture(data: Array, like: Picture | None, channel_axis: int | None) -> Picture:
    """Return data with the axes and metadata that `write_picture` writes."""
    if data.dtype == bool:
        raise ImageError("the image holds truth values; it should hold numbers, such as uint8")
    if like is None:
        return _with_unnamed_axes(data, channel_axis)
    if data.shape == like.data.shape:
        if data.dtype == like.data.dtype:
            return Picture(data, like.axes, like.metadata, like.alpha)
        return Picture(data, like.axes, like.metadata.geometry())
    axis = like.channel_axis if channel_axis is None else channel_axis
    if axis is not None and data.shape == tuple(np.delete(like.data.shape, axis)):
        letter = like.axes[axis]
        return Picture(data, like.axes.replace(letter, ""), like.metadata.geometry())
    raise ImageError(
        f"the image has the shape {data.shape}; it should be {like.data.shape}, "
        "the shape of the picture it stems from"
    )


def map_template(picture: Picture, channel_axis: int | None) -> Picture:
    """Return a picture of the shape and metadata of a picture's map, without pixels."""
    import dask.array

    shape = picture.data.shape
    if channel_axis is not None:
        shape = tuple(np.delete(shape, channel_axis))
    return as_picture(dask.array.empty(shape, dtype=np.float32), picture, channel_axis)


def _with_unnamed_axes(data: Array, channel_axis: int | None) -> Picture:
    if channel_axis is not None:
        if not -data.ndim <= channel_axis < data.ndim or data.shape[channel_axis] not in (3, 4):
            raise ImageError(
                f"channel_axis is {channel_axis} for the shape {data.shape}; "
                "it should be an axis of 3 or 4 samples"
            )
        data = np.moveaxis(data, channel_axis, -1)
    planes = data.ndim - (channel_axis is not None)
    if planes < 2 or data.size == 0:
        raise ImageError(f"the image has the shape {data.shape}; it should have rows and columns")
    axes = "Q" * (planes - 2) + "YX" + ("S" if channel_axis is not None else "")
    return Picture(data, axes, Metadata())
