"""Prescriptions of real lenses: surfaces, glasses and stop, read from JSON files."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from training.errors import TrainingError

#: Fraunhofer lines in micrometers: blue F, yellow d, red C.
LINE_F, LINE_D, LINE_C = 0.4861, 0.5876, 0.6563
#: Index at d and Abbe number of plastics.
_PLASTICS: Mapping[str, tuple[float, float]] = {
    "coc": (1.5337, 56.22),
    "okp4": (1.6328, 23.34),
    "pmma": (1.4918, 57.44),
    "polycarb": (1.5855, 29.91),
    "polystyr": (1.5904, 30.87),
}
_STOPS = ("Aperture", "Stop")


@dataclass(frozen=True)
class Medium:
    """A transparent medium, by its index at the d line and its Abbe number.

    Attributes
    ----------
    index : float
        At 0.5876 micrometers.
    abbe : float
        Infinite for air.
    """

    index: float = 1.0
    abbe: float = math.inf

    def at(self, wavelength: float) -> float:
        """Return the index at a wavelength in micrometers.

        It is Cauchy's n = A + B / wavelength^2 that has the index and the Abbe number.

        Examples
        --------
        >>> glass = Medium(1.5168, 64.17)
        >>> round((1.5168 - 1) / (glass.at(LINE_F) - glass.at(LINE_C)), 2)
        64.17
        """
        slope = (self.index - 1) / self.abbe / (LINE_F**-2 - LINE_C**-2)
        return self.index + slope * (wavelength**-2 - LINE_D**-2)


AIR = Medium()


@dataclass(frozen=True)
class Surface:
    """A surface of revolution; lengths in mm.

    Attributes
    ----------
    place : float
        Position of the vertex along the axis.
    half : float
        Half the clear diameter.
    curvature, conic : float
        Of the vertex; 0 for a plane.
    asphere : sequence of float
        Coefficients of the 2nd, 4th, ... power of the distance from the axis.
    after : Medium
        Medium behind the surface.
    """

    place: float
    half: float
    curvature: float = 0.0
    conic: float = 0.0
    asphere: Sequence[float] = ()
    after: Medium = AIR


@dataclass(frozen=True)
class Prescription:
    """A lens; lengths in mm.

    Attributes
    ----------
    name : str
        Of the lens.
    surfaces : sequence of Surface
        From the object on; the stop among them.
    stop : int
        Number of the stop.
    half_diagonal : float
        Half the diagonal of the image.
    """

    name: str
    surfaces: Sequence[Surface]
    stop: int
    half_diagonal: float


def read_prescription(path: Path) -> Prescription:
    """Read a lens.

    Parameters
    ----------
    path : Path
        JSON with ``r_sensor`` and ``surfaces``, each with ``type``, ``r`` (half the clear
        diameter), ``c`` or ``roc``, ``d_next`` (distance of the next one), ``mat2`` (air, a
        plastic, or index/Abbe number), and for aspheres ``k`` and ``ai``.

    Raises
    ------
    TrainingError
        If the file cannot be read, or describes no lens.
    """
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        rows = record["surfaces"]
        stop = next(i for i, row in enumerate(rows) if row["type"] in _STOPS)
        surfaces, place = [], 0.0
        for row in rows:
            surfaces.append(_surface(row, place))
            place += row["d_next"]
        return Prescription(path.stem, surfaces, stop, record["r_sensor"])
    except (OSError, ValueError, KeyError, TypeError, StopIteration) as error:
        raise TrainingError(
            f"{path} describes no lens ({error!r}); surfaces with type, r, d_next and mat2, one of "
            "them a stop, are expected"
        ) from error


def _surface(row: Mapping[str, Any], place: float) -> Surface:
    curvature = row["c"] if "c" in row else 1 / row["roc"] if row.get("roc") else 0.0
    if row["type"] in _STOPS:
        return Surface(place, row["r"])
    is_aspheric = row["type"] == "Aspheric"
    return Surface(
        place,
        row["r"],
        curvature,
        row.get("k", 0.0) if is_aspheric else 0.0,
        tuple(row.get("ai", ())) if is_aspheric else (),
        _medium(row["mat2"]),
    )


def _medium(name: str) -> Medium:
    if name == "air":
        return AIR
    if name in _PLASTICS:
        return Medium(*_PLASTICS[name])
    index, abbe = name.split("/")
    return Medium(float(index), float(abbe))
