"""JSON of limited length and depth: a few bytes of it can become many times as many in memory."""

import json
import os
from typing import Any

from .regular_file import read_regular

#: Bytes of a JSON file.
LARGEST = 40_000_000
#: Brackets and commas in it; each can stand for a value of 100 bytes and more.
_MOST_VALUES = 1_000_000


def read_json(path: str | os.PathLike[str]) -> Any:
    """Return the values in a JSON file.

    Raises
    ------
    OSError
        If it cannot be read, is anything but a regular file, or is longer than `LARGEST`.
    ValueError
        If it is no JSON, or nested too deep, or holds too many values.
    """
    return parse_json(read_regular(path, LARGEST))


def parse_json(content: bytes, most_values: int = _MOST_VALUES) -> Any:
    """Return the values that JSON in UTF-8 stands for.

    Parameters
    ----------
    content : bytes
        The JSON.
    most_values : int
        Largest number of brackets and commas in it.

    Raises
    ------
    ValueError
        If it is no JSON, or nested too deep, or holds too many values.

    Examples
    --------
    >>> parse_json(b'{"a": [1, 2]}')
    {'a': [1, 2]}
    >>> parse_json(b"[" * 100_000)
    Traceback (most recent call last):
    ...
    ValueError: it is nested too deep
    """
    check_json(content, most_values)
    try:
        return json.loads(content.decode())
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error


def check_json(content: bytes, most_values: int = _MOST_VALUES) -> None:
    """Raise a ValueError for JSON that holds too many values."""
    values = sum(map(content.count, (b",", b"[", b"{")))
    if values > most_values:
        raise ValueError(f"it holds {values} values; up to {most_values} are read")
