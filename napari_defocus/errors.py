"""Errors that bad input can cause, each with a message a user can act on.

None of them is a ``RuntimeError``: napari's generator workers take those for deleted Qt objects
and swallow them.
"""

from typing import Self


class DefocusError(ValueError):
    """The user's input cannot be used; the message says what is accepted."""


class ImageError(DefocusError):
    """The image, its axes, its data type or its values cannot be used."""


class MapError(DefocusError):
    """The defocus map does not fit the image or holds impossible values."""


class ModelError(DefocusError):
    """The model is unknown, damaged, or made for another task."""


class FileError(DefocusError, OSError):
    """A file cannot be read or written; also an ``OSError``, as from Python's own `open`."""

    def __new__(cls, *args: object) -> Self:
        """Make one, also for libraries that unpickle errors by ``FileError.__new__``.

        Inherited is that of ``ValueError``, which refuses to make an ``OSError``.
        """
        return OSError.__new__(cls, *args)


class OptionError(DefocusError):
    """An option lies outside what it accepts."""


class DeviceError(DefocusError):
    """The device is missing or ran out of memory."""


class Cancelled(Exception):
    """Raised by a progress callback to stop the work; never caused by bad input."""


def reason(error: BaseException) -> str:
    """Return the text of an error as one line, in the system's words and without a file's name."""
    return getattr(error, "strerror", None) or " ".join(str(error).split()) or type(error).__name__
