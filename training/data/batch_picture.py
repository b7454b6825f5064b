"""Picture of a batch, as the networks receive it."""

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from napari_defocus.map_colors import color_limit, paint_map
from panels import Column, compose, to_picture
from training.data.sensor import Photographs


def batch_picture(photos: Photographs, *, width: int = 256) -> NDArray[np.uint8]:
    """One row for each sample: sharp, whole pupil, left, right, radius.

    Parameters
    ----------
    photos : Photographs
        At least one.
    width : int
        Of one picture in pixels.

    Returns
    -------
    (Y, X, 3) uint8 array
        Radii in the colors of the defocus maps, with their own limits; unknown ones are gray.
    """
    return np.concatenate([_row(photos, index, width) for index in range(len(photos.sharp))])


def _row(photos: Photographs, index: int, width: int) -> NDArray[np.uint8]:
    names = ("sharp", "center", "left", "right")
    columns = [Column(name, _to_picture(getattr(photos, name)[index])) for name in names]
    radius = photos.radius[index, 0].cpu().numpy()
    limit = color_limit(radius)
    painted = paint_map(radius, signed=True, limit=limit)
    columns.append(Column("radius", painted, limit, signed=True))
    return compose(columns, width=width)


def _to_picture(image: Tensor) -> NDArray[np.uint8]:
    return to_picture(image.permute(1, 2, 0).cpu().numpy())
