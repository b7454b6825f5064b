"""Lengths in micrometers, from the units that files name."""

import math

#: Micrometers in a unit of length, by its names in files. Names count in lower case.
_MICROMETERS = {
    **dict.fromkeys(("pm", "picometer", "picometre"), 1e-6),
    **dict.fromkeys(("å", "angstrom", "ångström", "ångstrom"), 1e-4),
    **dict.fromkeys(("nm", "nanometer", "nanometre"), 1e-3),
    **dict.fromkeys(("µm", "um", "micron", "micrometer", "micrometre"), 1.0),
    **dict.fromkeys(("mil", "thou"), 25.4),
    **dict.fromkeys(("mm", "millimeter", "millimetre"), 1e3),
    **dict.fromkeys(("cm", "centimeter", "centimetre"), 1e4),
    **dict.fromkeys(("in", "inch", "inches", '"'), 25_400.0),
    **dict.fromkeys(("dm", "decimeter", "decimetre"), 1e5),
    **dict.fromkeys(("ft", "foot", "feet"), 304_800.0),
    **dict.fromkeys(("m", "meter", "metre"), 1e6),
    **dict.fromkeys(("km", "kilometer", "kilometre"), 1e9),
}


def micrometers(value: float, unit: str) -> float | None:
    """Return a length in micrometers.

    Parameters
    ----------
    value : float
        The length; its sign, which OME-Zarr gives to axes that run backward, is dropped.
    unit : str
        Name or symbol of a unit, as files spell it: "µm", "micron", "nm", "inch", ...

    Returns
    -------
    float or None
        None if the unit is not one of length, or the value is not a finite number above 0.

    Examples
    --------
    >>> micrometers(0.5, "mm"), micrometers(250, "nanometers"), micrometers(1, "pixel")
    (500.0, 0.25, None)
    """
    name = unit.strip().replace("\\u00B5", "µ").replace("\\u00b5", "µ").replace("μ", "µ").lower()
    factor = _MICROMETERS.get(name) or _MICROMETERS.get(name.removesuffix("s"))
    if factor is None or not 0 < abs(value) < math.inf:
        return None
    return abs(value) * factor
