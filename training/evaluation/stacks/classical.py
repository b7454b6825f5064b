"""Classical measures of focus, which name the sharpest plane of a stack."""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import laplace, sobel

from training.evaluation.stacks.scenes import FocusStack

Plane = NDArray[np.float64]


def normalized_variance(plane: Plane) -> float:
    """Return the variance over the mean (Groen et al. 1985)."""
    return float(plane.var() / max(plane.mean(), 1e-6))


def brenner(plane: Plane) -> float:
    """Return the mean squared difference of pixels two apart (Brenner et al. 1976)."""
    return float(np.square(plane[:, 2:] - plane[:, :-2]).mean())


def tenengrad(plane: Plane) -> float:
    """Return the mean squared gradient by Sobel's filters (Tenenbaum 1970)."""
    return float((sobel(plane, 0) ** 2 + sobel(plane, 1) ** 2).mean())


def laplacian_energy(plane: Plane) -> float:
    """Return the mean squared Laplacian (Subbarao et al. 1993)."""
    return float(np.square(laplace(plane)).mean())


MEASURES: Mapping[str, Callable[[Plane], float]] = {
    "normalized variance": normalized_variance,
    "Brenner": brenner,
    "Tenengrad": tenengrad,
    "Laplacian energy": laplacian_energy,
}


def best_planes(stack: FocusStack) -> dict[str, int]:
    """Return the plane that each measure takes for the sharpest."""
    gray = stack.planes.astype(float)
    gray = gray if gray.ndim == 3 else gray.mean(-1)
    return {
        name: int(np.argmax([measure(plane) for plane in gray]))
        for name, measure in MEASURES.items()
    }
