"""Blur radius at another focus distance and aperture, and steps of the focus."""

from typing import TypeVar

import numpy as np
import numpy.typing as npt

Radius = TypeVar("Radius", float, npt.NDArray[np.float32])


def focus_steps(first: float, last: float, number: int) -> tuple[float, ...]:
    """Return evenly spaced focuses, for a focal stack.

    Parameters
    ----------
    first, last : float
        Signed radius in px of the objects in focus in the first and in the last picture.
    number : int
        Number of pictures, at least 2.

    Returns
    -------
    tuple of float
        The focus of each picture.

    Examples
    --------
    >>> focus_steps(0, 8, 5)
    (0.0, 2.0, 4.0, 6.0, 8.0)
    """
    return tuple(np.linspace(first, last, number).tolist())


def radius_after_refocus(radius: Radius, focus: float, aperture: float) -> Radius:
    """Return the signed radius after focus and aperture were changed.

    Parameters
    ----------
    radius : float or array
        Signed radius in px of the photograph: positive in front of its plane of focus.
    focus : float
        Signed radius in px of the objects to be in focus.
    aperture : float
        Diameter of the new aperture divided by that of the photograph's, >= 0.

    Returns
    -------
    float or array
        Signed radius in px: positive in front of the new plane of focus.

    Notes
    -----
    aperture * (radius - focus): in the model of a thin lens the circle of confusion is linear in
    inverse depth, with a slope proportional to the aperture.

    Examples
    --------
    >>> radius_after_refocus(np.array([0.0, 4.0]), focus=4.0, aperture=0.5).tolist()
    [-2.0, 0.0]
    """
    return aperture * (radius - focus)
