"""Errors that bad input can cause, each with a message a user can act on.

None of them is a ``RuntimeError``: napari's generator workers take those for deleted Qt objects
and swallow them.
"""

import re
from reprlib import Repr
from typing import Any, Self

#: Control characters, line separators, and marks that turn the direction of writing.
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


#: Longer than the names of most files, and short enough for one sentence.
_MOST_CHARACTERS = 200


class DefocusError(ValueError):
    """Input that cannot be used; the message says what was wrong, and what is accepted.

    See Also
    --------
    ImageError, MapError, ModelError, FileError, OptionError, DeviceError : errors of each kind

    Notes
    -----
    Whatever the input is, the functions of this package raise one of these, or what a callback
    raised. An error of another kind is a fault of the package.

    Examples
    --------
    >>> import napari_defocus
    >>> try:
    ...     napari_defocus.deblur([1, 2, 3])
    ... except napari_defocus.DefocusError as error:
    ...     print(f"{type(error).__name__}: {error}")
    ImageError: the image is a list; a NumPy or dask array is expected
    """


class ImageError(DefocusError):
    """An image whose axes, data type or values cannot be used.

    See Also
    --------
    estimate_defocus, deblur : the images that are accepted

    Examples
    --------
    >>> import numpy as np
    >>> from napari_defocus import measure_range
    >>> measure_range(np.zeros((64, 48, 3), np.uint8))
    Traceback (most recent call last):
    napari_defocus.errors.ImageError: the image's shape (64, 48, 3) ends like color; ...
    """


class MapError(DefocusError):
    """A defocus map that does not fit its image, or holds impossible values.

    See Also
    --------
    DefocusMap : the maps that are accepted

    Examples
    --------
    >>> import numpy as np
    >>> from napari_defocus import DefocusMap
    >>> DefocusMap(np.zeros((64, 48)), np.ones((64, 1)))
    Traceback (most recent call last):
    napari_defocus.errors.MapError: the map's radius has shape (64, 48) and its confidence ...
    """


class ModelError(DefocusError):
    """A model that is unknown, damaged, or made for another task.

    See Also
    --------
    list_models : the models that are accepted, beside files with your own weights

    Examples
    --------
    >>> import numpy as np
    >>> from napari_defocus import deblur
    >>> deblur(np.zeros((64, 48), np.uint8), model="sharpest")
    Traceback (most recent call last):
    napari_defocus.errors.ModelError: there is no model 'sharpest'; for 'deblur' there are: ...
    """


class FileError(DefocusError, OSError):
    """A file that cannot be read or written; also an ``OSError``, as from Python's own `open`.

    See Also
    --------
    napari_defocus.io.read_picture : reads a file, by its content

    Examples
    --------
    >>> from napari_defocus.io import read_picture
    >>> read_picture("missing.png")
    Traceback (most recent call last):
    napari_defocus.errors.FileError: missing.png ...
    """

    def __new__(cls, *args: object) -> Self:
        """Make one, also for libraries that unpickle errors by ``FileError.__new__``.

        Inherited is that of ``ValueError``, which refuses to make an ``OSError``.
        """
        return OSError.__new__(cls, *args)


class OptionError(DefocusError):
    """An argument whose value is not accepted.

    See Also
    --------
    Options : the values that are accepted

    Examples
    --------
    >>> from napari_defocus import Options
    >>> Options(tile=-1)
    Traceback (most recent call last):
    napari_defocus.errors.OptionError: tile is -1; 'auto', None (whole) or the side of a tile ...
    """


class DeviceError(DefocusError):
    """A device that is missing or ran out of memory.

    See Also
    --------
    Options : its `device` and `tile`; a smaller tile takes less memory

    Examples
    --------
    >>> import numpy as np
    >>> from napari_defocus import reblur
    >>> image, radius = np.zeros((8, 8), np.uint8), np.ones((8, 8))
    >>> reblur(image, radius, device="cuda:99")
    Traceback (most recent call last):
    napari_defocus.errors.DeviceError: there is no device 'cuda:99'; there are: ...
    """


class ValuesWarning(UserWarning):
    """Warning that says what was assumed about an image's values, which do not tell it.

    See Also
    --------
    Options : its `value_range`, `imaging`, `nodata` and `range_axis` say it instead

    Examples
    --------
    >>> import warnings
    >>> import numpy as np
    >>> from napari_defocus import measure_range
    >>> image = np.linspace(0, 4000, 192).reshape(8, 8, 3).astype(np.uint16)
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     measure_range(image, channel_axis=-1)
    (0.0, 4095.0)
    >>> print(caught[0].message)
    values of type uint16 reach 4000 only; white is taken to be 4095, as of 12 bits; ...
    """


class Canceled(Exception):
    """Exception for a progress callback to raise, so that the work ends; no ``DefocusError``.

    See Also
    --------
    estimate_defocus, deblur : take `progress`

    Examples
    --------
    >>> import numpy as np
    >>> from napari_defocus import Canceled, reblur
    >>> def stop(done, total):
    ...     raise Canceled
    >>> reblur(np.zeros((8, 8), np.uint8), np.ones((8, 8)), progress=stop)
    Traceback (most recent call last):
    napari_defocus.errors.Canceled
    """


def reason(error: BaseException) -> str:
    """Return the text of an error as one line, in the system's words and without a file's name."""
    return getattr(error, "strerror", None) or " ".join(str(error).split()) or type(error).__name__


def quote(value: Any) -> str:
    """Return the `repr` of a value, shortened, for a message.

    Examples
    --------
    >>> quote("tall"), len(quote("a" * 10_000))
    ("'tall'", 200)
    """
    short = Repr()
    short.maxstring = short.maxother = _MOST_CHARACTERS
    return short.repr(value)


def shorten_words(text: str) -> str:
    r"""Return a text on one line, its very long words shortened.

    Examples
    --------
    >>> shorten_words("no\nsuch option"), len(shorten_words("a" * 10_000))
    ('no such option', 203)
    """
    half = _MOST_CHARACTERS // 2
    words = text.split()
    return " ".join(
        word if len(word) <= _MOST_CHARACTERS else f"{word[:half]}...{word[-half:]}"
        for word in words
    )


def printable(text: object, *, keep: str = "") -> str:
    r"""Return a text with control characters escaped, so that no name in it can steer a terminal.

    Parameters
    ----------
    text : object
        Anything that becomes a text.
    keep : str
        Control characters that are left as they are.

    Examples
    --------
    >>> printable("a\x1b[31m.tif")
    'a\\x1b[31m.tif'
    """
    return _UNPRINTABLE.sub(
        lambda match: match[0] if match[0] in keep else match[0].encode("unicode_escape").decode(),
        str(text),
    )
