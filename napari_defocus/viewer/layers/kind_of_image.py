"""Kind of image that a layer is taken for, and the reason."""

import threading
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ...image.channels import find_independent_channels
from ...image.layout import read_layout
from ...inference.engine import Progress
from ...options import Imaging, Options
from ..threads.latest_run import LatestRun
from ..threads.runner import Steps
from .image_source import ImageSource

#: Values up to which colors are looked at in 20 ms, and by a thread beyond.
_AT_ONCE = 500_000
#: Lets several threads look at one image once.
_LOCK = threading.Lock()

#: Answers for arrays that live, each with a weak reference to its array. What is painted into an
#: array in place changes what a run takes it for, but not what the viewer says of it.
_LOOKED: "dict[tuple[int, str], tuple[weakref.ref[Any], bool]]" = {}


@dataclass(frozen=True)
class KindOfImage:
    """Kind of image that "auto" stands for, and what it was concluded from."""

    imaging: Imaging
    reason: str


def kind_of_image(source: ImageSource, options: Options) -> KindOfImage:
    """Return what an image is taken for; colors in memory are looked at.

    Parameters
    ----------
    source : ImageSource
        The image.
    options : Options
        Options with the encoding as chosen.

    Raises
    ------
    ImageError
        If the image cannot be used.
    """
    options = source.reading_options(options)
    layout = read_layout(source.data, **options.reading())
    if isinstance(source.data, np.ndarray) and _has_independent_channels(source.data, options):
        return KindOfImage("microscopy", "its colors have nothing to do with each other")
    if options.imaging == "microscopy":
        reason = "its pixels are measured in micrometers"
    elif options.encoding != "auto":
        reason = "so its values are read as chosen"
    elif layout.color:
        reason = "it is in color"
    else:
        reason = f"it is gray with values of type {layout.dtype}"
    return KindOfImage(layout.imaging, reason)


class KindFinder:
    """Finds the kind of one image after another, in a thread where that takes long.

    Parameters
    ----------
    on_found : callable
        Called without arguments when a thread has found a kind.
    """

    def __init__(self, on_found: Callable[[], object]) -> None:
        self._on_found = on_found
        self._looking: LatestRun[KindOfImage] = LatestRun()

    def find(self, source: ImageSource, options: Options) -> KindOfImage | None:
        """Return what an image is taken for; None while a thread looks at it.

        Raises
        ------
        ImageError
            If the image cannot be used.
        """
        self._looking.stop()
        if _is_at_hand(source, options):
            return kind_of_image(source, options)

        def steps() -> Steps[KindOfImage]:
            yield Progress(0, 0)
            return kind_of_image(source, options)

        self._looking.request(steps, lambda _: self._on_found())
        return None

    def stop(self) -> None:
        """Find nothing more."""
        self._looking.stop()


def _is_at_hand(source: ImageSource, options: Options) -> bool:
    """Return whether a kind is found in 20 ms."""
    data = source.data
    if not isinstance(data, np.ndarray) or data.size <= _AT_ONCE or source.channel_axis == "none":
        return True
    options = source.reading_options(options)
    return _recall(data, options) is not None


def _recall(data: npt.NDArray[Any], options: Options) -> bool | None:
    """Return whether colors in memory are fluorescence, None if they were not looked at."""
    reference, answer = _LOOKED.get((id(data), repr(options)), (None, False))
    return answer if reference is not None and reference() is data else None


def _has_independent_channels(data: npt.NDArray[Any], options: Options) -> bool:
    """Return whether colors in memory are fluorescence; of an array, look once."""
    with _LOCK:
        answer = _recall(data, options)
        if answer is None:
            key = id(data), repr(options)
            layout = read_layout(data, **options.reading())
            answer = find_independent_channels(data, layout, options, lambda note: None)
            _LOOKED[key] = weakref.ref(data, lambda _: _LOOKED.pop(key, None)), answer
        return answer
