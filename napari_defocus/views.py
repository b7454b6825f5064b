"""Views that a defocus map is estimated from: one image, or two of dual pixels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from .array_types import Array
from .defocus_map import DefocusMap
from .errors import ImageError, OptionError, quote
from .image.layout import as_array, is_dask
from .io import Picture
from .io.raw import read_dual_pixel


@dataclass(frozen=True, eq=False)
class Views:
    """One image, or two dual-pixel views, from which a map is estimated.

    Parameters
    ----------
    image : (..., Y, X) array
        The image, or the left dual-pixel view; with channels where it has color. Integers or real
        floats.
    right : (..., Y, X) array, optional
        The right dual-pixel view, of the same shape and data type.
    upright : callable, optional
        Turns an array (Y, X) of the views to the orientation of the picture they belong to.

    Raises
    ------
    ImageError
        If the views differ in shape or data type, or one is not an array.

    See Also
    --------
    EstimateJob : the job that estimates a map from views
    estimate_defocus : the function, which takes both views

    Notes
    -----
    Where a pixel is nearer than the plane of focus, the left view's content must lie to the right
    of the right view's; swapped views give radii of the wrong sign. Views up to 3 pixels apart
    vertically are aligned.

    Examples
    --------
    >>> import numpy as np
    >>> left, right = np.zeros((2, 64, 48), np.uint8)
    >>> Views(left).task, Views(left, right).task
    ('single', 'dual')
    """

    image: Any
    right: Any = None
    upright: Callable[[Array], Array] | None = None

    def __post_init__(self) -> None:
        image, right = as_array(self.image), self.right
        if right is not None:
            image, right = _same_kind(image, as_array(right))
        object.__setattr__(self, "image", image)
        object.__setattr__(self, "right", right)

    @property
    def arrays(self) -> tuple[Any, ...]:
        """The image, or both views."""
        return (self.image,) if self.right is None else (self.image, self.right)

    @property
    def task(self) -> Literal["single", "dual"]:
        """The task that the model must be made for."""
        return "single" if self.right is None else "dual"

    def turn_upright(self, defocus: DefocusMap) -> DefocusMap:
        """Return a map of the views in the orientation of the picture."""
        if self.upright is None:
            return defocus
        radius, confidence = map(self.upright, defocus)
        return DefocusMap(radius, confidence, defocus.signed, defocus.model, defocus.reference)


def picture_views(path: Path, picture: Picture, *, dual_pixel: bool) -> Views:
    """Return the views that a picture's map is estimated from.

    Parameters
    ----------
    path : pathlib.Path
        File of the picture.
    picture : Picture
        As it is to be processed, with its colors as planes if they are not colors.
    dual_pixel : bool
        Whether to use both halves of a Canon dual-pixel raw file, if there are two.

    Raises
    ------
    FileError
        If the file is damaged.
    """
    halves = read_dual_pixel(path) if dual_pixel else None
    if halves is None:
        return Views(picture.data)
    left, right = (
        (half if picture.channel_axis is not None else half.as_planes()).data
        for half in (halves.left, halves.right)
    )
    return Views(left, right, halves.upright)


def refuse_named_model(parameter: str, model: str, *, switch: str) -> None:
    """Raise an OptionError unless the estimator is "auto", where files may hold one view or two.

    Parameters
    ----------
    parameter, model : str
        Name of the parameter, and its value.
    switch : str
        Option that asks for two views where a file holds them, as the message is to call it.
    """
    if model != "auto":
        raise OptionError(
            f"{parameter} is {quote(model)} and {switch} is on, which takes one model for files of "
            "two views and another for those of one; leave out one of them"
        )


def _same_kind(left: Any, right: Any) -> list[Any]:
    """Return both views as dask arrays if one of them is one."""
    if left.shape != right.shape or left.dtype != right.dtype:
        raise ImageError(
            f"the views differ: {left.dtype} {left.shape} and {right.dtype} {right.shape}; "
            "shape and data type must be equal"
        )
    if is_dask(left) != is_dask(right):
        import dask.array

        return [dask.array.asarray(view) for view in (left, right)]
    return [left, right]
