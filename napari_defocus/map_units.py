"""Unit of the radii in a file with a map, which the JSON beside it tells."""

import math
from pathlib import Path
from typing import Any

from .errors import FileError
from .io.json_file import parse_json
from .io.regular_file import read_regular
from .physical_size import RADII_KEY, PixelSize, Unit
from .provenance_record import sidecar_path

_LARGEST_SIDECAR = 10_000_000  # bytes


def read_radii_record(path: Path) -> tuple[Unit, float, PixelSize | None] | None:
    """Return unit, median in pixels and pixel size of a map's radii; None if no JSON says them.

    The median is NaN where no radius is sure.
    """
    try:
        radii: Any = parse_json(read_regular(sidecar_path(path), _LARGEST_SIDECAR))[RADII_KEY]
        unit: Unit = "um" if radii["unit"] == "um" else "px"
        sides = radii.get("pixel_size_um")
        size = None if sides is None else PixelSize(float(sides[0]), float(sides[1]))
        median = radii["median_px"]
        return unit, math.nan if median is None else float(median), size
    except (OSError, ValueError, LookupError, TypeError, AttributeError, FileError):
        return None


def recorded_factor(path: Path) -> float:
    """Return the factor from pixels to the unit of a map: 1 unless its JSON says micrometers.

    Raises
    ------
    FileError
        If the JSON says micrometers, but not how large a pixel is.
    """
    record = read_radii_record(path)
    if record is None or record[0] == "px":
        return 1.0
    size = record[2]
    if size is None or not size.height * size.width > 0:
        raise FileError(
            f"{sidecar_path(path)} says that radii are in micrometers, and not how large a pixel "
            "is; give the map in pixels"
        )
    return size.side
