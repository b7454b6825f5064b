"""Blur of real lenses, traced from their prescriptions, over field and color."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from training.data.prescriptions import LINE_C, LINE_D, LINE_F, Prescription, read_prescription
from training.data.ray_tracing import Rays, bundle, focal_length
from training.errors import TrainingError

Floats = NDArray[np.float64]

#: Places of the field at which lenses are traced, as shares of half the diagonal.
FIELDS = (0.0, 0.25, 0.5, 0.7, 0.85, 1.0)
#: Wavelengths of red, green and blue.
COLORS = (LINE_C, LINE_D, LINE_F)
#: Half the width of the square of the pupil that is kept, in radii, and its samples along a side.
PUPIL_HALF, PUPIL_SIDE = 1.3, 40
#: Rays along the side of a square grid in the entrance pupil, and its half-width in radii.
_RAYS, _REACH = 80, 2.2
#: Order of the polynomials that stand for the rays' errors, and least share of rays that pass.
ORDER, _LEAST = 5, 0.08
#: Focal lengths in mm within which a prescription is a lens of a camera.
_FOCAL = (2.0, 400.0)


@dataclass(frozen=True)
class TracedField:
    """A lens at one place of the field, which lies along x; lengths in mm.

    Attributes
    ----------
    light : array
        (40, 40) light through points v, u of the pupil, in [-1.3, 1.3]; of sum 1. Pupil
        coordinates are slopes of rays behind the lens, relative to the mean one, divided by that of
        the rim of the pupil on the axis.
    errors : array
        (3, 2, 21) coefficients of `monomials`: where a ray of red, green or blue meets the plane in
        which the green spot is smallest, along x and y, relative to the mean of green.
    focus : float
        Distance of that plane from the paraxial focus on the axis.
    passing : float
        Light that passes, as a share of what passes on the axis.
    residual : float
        Root mean square of what the polynomials leave of the rays' errors.
    """

    light: Floats
    errors: Floats
    focus: float
    passing: float
    residual: float


@dataclass(frozen=True)
class TracedCameraLens:
    """A lens, traced at `FIELDS`.

    Attributes
    ----------
    name : str
        Of the lens.
    half_diagonal : float
        Half the diagonal of the image in mm.
    f_number : float
        Focal length divided by the diameter of the entrance pupil, as rays pass on the axis.
    fields : sequence of TracedField
        One for each place; wide lenses may lack the outermost.
    """

    name: str
    half_diagonal: float
    f_number: float
    fields: Sequence[TracedField]


def read_lens_bank(folder: Path) -> list[TracedCameraLens]:
    """Trace the lenses of all prescriptions in a folder and its subfolders.

    Raises
    ------
    TrainingError
        If it holds none that forms an image.
    """
    return [trace_lens(lens) for lens in read_camera_lenses(folder)]


def read_camera_lenses(folder: Path) -> list[Prescription]:
    """Read the prescriptions of a folder that form an image; raises as `read_lens_bank`."""
    lenses = [read_prescription(path) for path in sorted(folder.rglob("*.json"))]
    usable = [lens for lens in lenses if _FOCAL[0] < focal_length(lens)[0] < _FOCAL[1]]
    if not usable:
        raise TrainingError(f"{folder} holds no prescription of a lens (.json)")
    return usable


def trace_lens(lens: Prescription) -> TracedCameraLens:
    """Trace a lens, in focus at infinity."""
    focal, paraxial = focal_length(lens)
    points = _grid()
    axial = bundle(lens, 0.0, points, LINE_D)
    rim = float(np.hypot(*axial.slope[axial.passing].T).max())
    passing = axial.passing.sum()
    fields = []
    for share in FIELDS:
        angle = math.atan2(share * lens.half_diagonal, focal)
        rays = [bundle(lens, angle, points, color) for color in COLORS]
        together = np.logical_and.reduce([one.passing for one in rays])
        if together.sum() < _LEAST * passing:
            break
        fields.append(_trace_field(rays, together, paraxial, rim, together.sum() / passing))
    return TracedCameraLens(lens.name, lens.half_diagonal, 1 / (2 * rim), fields)


def _grid() -> Floats:
    """Return points (N, 2) of the entrance pupil, in its radii."""
    along = np.linspace(-_REACH, _REACH, _RAYS)
    x, y = np.meshgrid(along, along, indexing="xy")
    return np.stack([x.ravel(), y.ravel()], 1)


def _trace_field(
    rays: Sequence[Rays], together: NDArray[np.bool_], paraxial: float, rim: float, passing: float
) -> TracedField:
    green = rays[1]
    slope = green.slope[together]
    at_focus = green.at_plane(paraxial)[together]
    spread, error = slope - slope.mean(0), at_focus - at_focus.mean(0)
    focus = -float((spread * error).sum() / (spread**2).sum())
    pupil = spread / rim
    base = monomials(pupil)
    meeting = [one.at_plane(paraxial + focus)[together] for one in rays]
    errors = np.stack([place - meeting[1].mean(0) for place in meeting])
    fitted = np.linalg.lstsq(base, errors.transpose(1, 0, 2).reshape(len(base), -1), rcond=None)[0]
    residual = base @ fitted - errors.transpose(1, 0, 2).reshape(len(base), -1)
    return TracedField(
        light=_light(pupil),
        errors=fitted.reshape(-1, len(rays), 2).transpose(1, 2, 0),
        focus=focus,
        passing=passing,
        residual=float(np.sqrt((residual**2).mean())),
    )


def _light(pupil: Floats) -> Floats:
    """Return the density of rays (40, 40) over the pupil: each is shared by four samples."""
    place = (pupil + PUPIL_HALF) / (2 * PUPIL_HALF) * PUPIL_SIDE - 0.5
    low = np.floor(place).astype(int)
    share = place - low
    light = np.zeros((PUPIL_SIDE + 2, PUPIL_SIDE + 2))
    for right in (0, 1):
        for down in (0, 1):
            column, row = low[:, 0] + right + 1, low[:, 1] + down + 1
            inside = (column >= 0) & (column < len(light)) & (row >= 0) & (row < len(light))
            part = np.abs(1 - right - share[:, 0]) * np.abs(1 - down - share[:, 1])
            np.add.at(light, (row[inside], column[inside]), part[inside])
    inner: Floats = light[1:-1, 1:-1] / light[1:-1, 1:-1].sum()
    return inner


def monomials(pupil: Floats) -> Floats:
    """Return the monomials (N, 21) of u and v, up to the 5th power, of points (N, 2)."""
    u, v = pupil.T
    columns = [u ** (order - power) * v**power for order, power in _powers()]
    base: Floats = np.stack(columns, 1)
    return base


def monomials_of(u: Tensor, v: Tensor) -> Tensor:
    """Return the monomials (21, P) of points (P,), in the order of `monomials`."""
    return torch.stack([u ** (order - power) * v**power for order, power in _powers()])


def _powers() -> list[tuple[int, int]]:
    """Return order, and power of v, of each monomial."""
    return [(order, power) for order in range(ORDER + 1) for power in range(order + 1)]
