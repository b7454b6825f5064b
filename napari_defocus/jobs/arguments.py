"""Checks of the arguments that jobs share."""

from __future__ import annotations

from collections.abc import Iterable
from os import PathLike, fspath
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import OptionError, quote
from ..models import ModelCard, describe_network

if TYPE_CHECKING:
    from torch import nn


def check_complete(optics: Any) -> None:
    """Raise an OptionError for optics in words that lack a number, which no file has added."""
    if isinstance(optics, str) and optics not in ("auto", "none"):
        raise OptionError(
            f"optics is {quote(optics)}, and the image does not say the rest; give all of na, "
            "wavelength_um and pixel_size_um"
        )


def check_out(out: Any, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
    """Raise an OptionError if a result does not fit into the array for it."""
    actual = getattr(out, "shape", None), getattr(out, "dtype", None)
    if actual != (shape, dtype):
        raise OptionError(f"out has {actual[1]} {actual[0]}; {dtype} {shape} is expected")
    if isinstance(out, np.ndarray) and not out.flags.writeable:
        raise OptionError("out is a read-only array; give one that can be written")


class PictureOf:
    """One picture of a stack, a zarr or h5py array, to be written slice by slice.

    Parameters
    ----------
    stack : array
        Array (N, ...).
    number : int
        Number of the picture.
    """

    def __init__(self, stack: Any, number: int) -> None:
        self._stack, self._number = stack, number
        self.shape, self.dtype = tuple(stack.shape[1:]), stack.dtype
        self.store, self.file = getattr(stack, "store", None), getattr(stack, "file", None)

    def __setitem__(self, index: Any, values: Any) -> None:
        place = index if isinstance(index, tuple) else (index,)
        self._stack[self._number, *place] = values


def refuse_shared_memory(out: Any, others: Iterable[Any]) -> None:
    """Raise an OptionError if a result would be written over what is still to be read."""
    for other in others:
        if (
            isinstance(out, np.ndarray)
            and isinstance(other, np.ndarray)
            and np.shares_memory(out, other)
        ):
            raise OptionError(
                "out shares memory with an array that is read, or with the other out; give a new "
                "array"
            )


def model_card(model: ModelCard | nn.Module) -> ModelCard:
    """Return the card of a model; one is written for a network."""
    return model if isinstance(model, ModelCard) else describe_network(model)


def model_name(model: Any) -> str:
    """Return the name of a model, or its path, as the user gave it."""
    if isinstance(model, str | PathLike):
        return fspath(model)
    return str(getattr(model, "name", type(model).__name__))
