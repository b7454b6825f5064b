"""Alpha channels: from colors that are multiplied by alpha to those that are not."""

from dataclasses import replace

import numpy as np

from ..array_types import Array
from .picture import Picture

_ASSOCIATED = 1


def with_straight_alpha(picture: Picture) -> Picture:
    """Return a picture whose colors are not multiplied by alpha, as all formats but TIFF hold them.

    Parameters
    ----------
    picture : Picture
        (Y, X) with an alpha channel, or (Y, X, 3 or 4), of integers.

    Examples
    --------
    >>> from napari_defocus.io.picture import Metadata, Storage
    >>> data = np.array([[[50, 25, 0, 100], [0, 0, 0, 0]]], np.uint8)
    >>> picture = Picture(data, "YXS", Metadata(storage=Storage(extrasample=1)))
    >>> with_straight_alpha(picture).data.tolist()
    [[[128, 64, 0, 100], [0, 0, 0, 0]]]
    """
    storage = picture.metadata.storage
    if storage is None or storage.extrasample != _ASSOCIATED:
        return picture
    data, alpha = picture.data, picture.alpha
    if alpha is not None:
        straight = _divide(data, alpha)
    elif data.ndim == 3 and data.shape[-1] == 4:
        straight = np.concatenate([_divide(data[..., :3], data[..., 3:]), data[..., 3:]], -1)
    else:
        return picture
    kept = replace(picture.metadata, storage=replace(storage, extrasample=2))
    return replace(picture, data=straight, metadata=kept)


def _divide(colors: Array, alpha: Array) -> Array:
    white = np.iinfo(colors.dtype).max
    wide = colors.astype(np.int64) * white
    divisor = np.maximum(alpha.astype(np.int64), 1)
    straight: Array = np.minimum((wide + divisor // 2) // divisor, white).astype(colors.dtype)
    return straight
