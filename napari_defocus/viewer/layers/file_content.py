"""Python expressions that read a layer's pixels from its file again, where it still holds them."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import permutations, product
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import DefocusError
from ...io import Picture, open_picture
from ...io.read import LARGE

if TYPE_CHECKING:
    from napari.layers import Layer

#: Longest axis of which a layer may be one element.
_MOST_CHANNELS = 64
#: Approximate number of values that are compared first.
_SAMPLE = 1000


@dataclass(frozen=True)
class FileContent:
    """A layer's pixels in its file.

    Parameters
    ----------
    picture : Picture
        The file.
    expression : str
        Code that takes the pixels from the array `data` of the picture, such as ``"[1]"``; empty if
        they are the whole array.
    exact : bool
        Whether all values were compared; only some planes are if there are very many.
    """

    picture: Picture
    expression: str
    exact: bool


def layer_path(layer: "Layer") -> str | None:
    """Return the path of the file that a layer, or the one that it was copied from, stems from."""
    path: str | None = layer.source.path
    parent = layer.source.parent
    while path is None and parent is not None and (original := parent()) is not None:
        path, parent = original.source.path, original.source.parent
    return path


def find_content(data: Any, path: str) -> FileContent | None:
    """Return where a file holds the data of a layer, None if it does not or cannot be read.

    Parameters
    ----------
    data : array
        Data of the layer.
    path : str
        The file that the layer was read from. The layer may hold a channel or another element of
        it, turned or mirrored, or with its axes in another order.
    """
    try:
        picture = open_picture(path)
        for expression, view in _views(picture.data, np.ndim(data)):
            if _are_equal(view, data):
                exact = max(view.size, 1) <= LARGE
                return FileContent(picture, expression, exact)
    except DefocusError:
        pass
    return None


def _views(values: Any, ndim: int) -> Iterator[tuple[str, Any]]:
    """Yield views of an array with `ndim` axes, each with the code that makes it.

    Lazy arrays are neither turned nor mirrored.
    """
    parts = [(index, part) for index, part in _elements(values) if part.ndim == ndim]
    yield from parts
    for index, part in parts:
        if isinstance(part, np.ndarray):  # lazy ones are slow to compare
            for order, turned in _orders(part):
                for flip, view in _flips(turned):
                    yield index + order + flip, view


def _elements(values: Any) -> Iterator[tuple[str, Any]]:
    """Yield an array, with an axis more, and with one axis less."""
    yield "", values
    yield "[None]", values[None]
    for axis, count in enumerate(values.shape):
        for element in range(count if count <= _MOST_CHANNELS else 0):
            yield f"[{':, ' * axis}{element}]", values[(slice(None),) * axis + (element,)]


def _orders(values: Any) -> Iterator[tuple[str, Any]]:
    """Yield an array with its axes in every order, its own first."""
    for order in permutations(range(values.ndim)) if values.ndim <= 4 else ():
        own = order == tuple(range(values.ndim))
        yield ("" if own else f".transpose{order}"), (values if own else values.transpose(order))
    if values.ndim > 4:
        yield "", values


def _flips(values: Any) -> Iterator[tuple[str, Any]]:
    """Yield an array, and mirrored along each of the last three axes."""
    mirrored = slice(None, None, -1)
    for flips in product((False, True), repeat=min(values.ndim, 3)):
        if not any(flips):
            yield "", values
            continue
        parts = ", ".join("::-1" if flip else ":" for flip in flips)
        index = (..., *(mirrored if flip else slice(None) for flip in flips))
        yield f"[..., {parts}]", values[index]


def _are_equal(values: Any, others: Any) -> bool:
    """Return whether two arrays are equal, as far as they are compared."""
    if tuple(values.shape) != tuple(others.shape) or not _same_type(values, others):
        return False
    in_memory = isinstance(values, np.ndarray) and isinstance(others, np.ndarray)
    if in_memory:
        step = max(1, int((values.size / _SAMPLE) ** (1 / values.ndim)))
        sparse = (slice(None, None, step),) * values.ndim
        if not _equal_values(values[sparse], others[sparse]):
            return False
    planes = list(np.ndindex(*values.shape[:-2]))
    if values.size > LARGE:
        planes = [planes[0], planes[len(planes) // 2], planes[-1]]
    return all(_equal_values(values[plane], others[plane]) for plane in planes)


def _same_type(values: Any, others: Any) -> bool:
    """Return whether two data types are the same but for the order of bytes."""
    types = (np.dtype(array.dtype).newbyteorder("=") for array in (values, others))
    return len(set(types)) == 1


def _equal_values(values: Any, others: Any) -> bool:
    values, others = np.asarray(values), np.asarray(others)
    return bool(np.array_equal(values, others, equal_nan=values.dtype.kind == "f"))
