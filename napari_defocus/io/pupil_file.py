"""Reading of kernels from the files that training writes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import FileError, reason
from ..optics.pupil import Pupil, make_pupil
from .regular_file import read_regular

if TYPE_CHECKING:
    from ..optics.bank import KernelBank

_SUFFIX = ".safetensors"
#: Largest file of kernels that is read, in bytes: kernels of up to 24 px take 0.3 MB.
_LARGEST = 1 << 26


def find_pupil(value: Any, further: str = "") -> Pupil:
    """Return the pupil that a name, an array or a file describes.

    Parameters
    ----------
    value : str, path, array or Pupil
        As for `make_pupil`; or the path of a file of kernels, a text that ends in .safetensors.
    further : str
        What is accepted besides, for the message.

    Raises
    ------
    OptionError
        If it is none of these.
    FileError
        If it is a file that holds no kernels.

    Examples
    --------
    >>> find_pupil("polygon:6").record
    'polygon:6'
    """
    is_path = isinstance(value, str) and value.endswith(_SUFFIX)
    if not is_path and not isinstance(value, os.PathLike):
        return make_pupil(value, further=further)
    kernels = read_bank(Path(value)).center().detach().numpy()
    return make_pupil(kernels, record={"file": os.fspath(value), "kernels": kernels})


def read_bank(path: Path) -> KernelBank:
    """Read a kernel bank from a safetensors file of ``lbk`` or ``reference-lens``.

    Raises
    ------
    FileError
        If the file cannot be read or holds something else.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load

    from ..optics.bank import KernelBank

    try:
        state = load(read_regular(path, _LARGEST))
        count, *sides = state["scores"].shape
        if sides != [2 * count + 1] * 2:
            raise ValueError("the sides of a kernel follow from the number of radii")
        bank = KernelBank(count - 1)
        bank.load_state_dict(state)
    except OSError as error:
        raise FileError(f"{path} cannot be read: {reason(error)}") from error
    except (SafetensorError, KeyError, RuntimeError, ValueError) as error:
        raise FileError(
            f"{path} holds no kernels; a file that `python -m training lbk` or `reference-lens` "
            "wrote is expected"
        ) from error
    return bank
