"""JSON of limited length and depth: a few bytes of it can become many times as many in memory."""

import json
import os
from typing import Any

from .regular_file import read_regular

#: Bytes of JSON that are read: a plan of a hundred thousand files.
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


def parse_json(content: bytes) -> Any:
    """Return the values that JSON in UTF-8 stands for.

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
    check_json(content)
    try:
        return json.loads(content.decode())
    except RecursionError as error:
        raise ValueError("it is nested too deep") from error


def check_json(content: bytes) -> None:
    """Raise a ValueError for JSON that is too long, or holds too many values."""
    if len(content) > LARGEST:
        raise ValueError(f"it holds {len(content)} bytes; up to {LARGEST} are read")
    values = sum(map(content.count, (b",", b"[", b"{")))
    if values > _MOST_VALUES:
        raise ValueError(f"it holds {values} values; up to {_MOST_VALUES} are read")
