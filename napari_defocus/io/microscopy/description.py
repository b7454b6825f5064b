"""Texts and numbers by which files of microscopes describe their images, most of them XML."""

import math
from typing import Any
from xml.etree import ElementTree

_MOST_CHARACTERS = 1 << 25


def parse_xml(text: str) -> ElementTree.Element:
    """Return the root element; an empty one if the text is no XML, or declares entities."""
    if len(text) <= _MOST_CHARACTERS and "<!DOCTYPE" not in text:
        try:
            return ElementTree.fromstring(text)
        except (ElementTree.ParseError, ValueError):
            pass
    return ElementTree.Element("empty")


def child_texts(element: ElementTree.Element) -> dict[str, str]:
    """Return the texts of an element's children by their tags."""
    return {child.tag: (child.text or "").strip() for child in element}


def positive_number(text: object) -> float | None:
    """Return a number, None if the text holds none, or one that is not above 0 and finite.

    Examples
    --------
    >>> positive_number("0.25"), positive_number("-1"), positive_number("nan")
    (0.25, None, None)
    """
    try:
        number = float(str(text))
    except ValueError:
        return None
    return number if 0 < number < math.inf else None


def declared_white(bits: float, dtype: Any) -> float | None:
    """Return the largest value of so many bits; None where the data type holds no larger ones.

    Examples
    --------
    >>> import numpy as np
    >>> declared_white(12, np.dtype("u2")), declared_white(16, np.dtype("u2"))
    (4095.0, None)
    """
    return 2.0**bits - 1 if dtype.kind == "u" and 0 < bits < 8 * dtype.itemsize else None
