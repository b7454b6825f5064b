"""Parsing of the XML that describes images of microscopes."""

import math
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
