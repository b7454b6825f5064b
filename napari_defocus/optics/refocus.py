"""Blur radius at another focus distance and aperture."""

from typing import TypeVar

import numpy as np
import numpy.typing as npt

Radius = TypeVar("Radius", float, npt.NDArray[np.float32])


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
