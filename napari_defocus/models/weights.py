"""Readers of weights files: their bytes, headers and tensors, checked against harmful content.

Safetensors cannot hold code. A user's ``.pth`` can; torch reads it with ``weights_only=True``,
which refuses anything but tensors and plain values.
"""

import hashlib
import io
import pickletools
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ModelError, reason
from ..io.json_file import parse_json
from ..io.regular_file import read_regular

if TYPE_CHECKING:
    from torch import Tensor

SUFFIXES = (".safetensors", ".pth")
_LARGEST_FILE = 1 << 30
#: Bytes of the pickle in a ``.pth``, beside its tensors: each can become an object of 64 bytes.
_LARGEST_PICKLE = 1 << 20
_PICKLES = 5  # at the beginning of a .pth that is no zip file


def read_bytes(path: Path) -> bytes:
    """Return the content of a weights file; a ModelError if it cannot be read."""
    try:
        return read_regular(path, _LARGEST_FILE)
    except (OSError, ValueError) as error:
        raise ModelError(f"weights file {path} cannot be read: {reason(error)}") from error


def digest(content: bytes) -> str:
    """Return the hexadecimal sha256 of `content`."""
    return hashlib.sha256(content).hexdigest()


def parse_header(content: bytes, path: Path) -> dict[str, Any]:
    """Return the fields of the model from the header of a safetensors file, without torch.

    The metadata of safetensors hold text only, so the fields are JSON in the text ``model``.

    Raises
    ------
    ModelError
        If the header is damaged or holds no fields of a model.
    """
    try:
        length = int.from_bytes(content[:8], "little")
        header = parse_json(content[8 : 8 + length])
        fields = parse_json(header["__metadata__"]["model"].encode())
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelError(
            f"weights file {path.name} does not say which network it is for; "
            "it should be written by napari_defocus.models.write_model"
        ) from error
    if not isinstance(fields, dict):
        raise ModelError(f"weights file {path.name} has a damaged header")
    return fields


def parse_pth(content: bytes, path: Path) -> dict[str, Any]:
    """Return the dictionary in a ``.pth`` file, without running any code in it.

    Raises
    ------
    ModelError
        If it is damaged, holds more than tensors and plain values, or holds no dictionary.
    """
    import torch

    for pickle in _pickles(content, path):
        _check_pickle(pickle, path)
    try:
        checkpoint = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged file makes torch raise a dozen kinds
        raise ModelError(
            f"weights file {path.name} is damaged, or holds code instead of tensors"
        ) from error
    if not isinstance(checkpoint, dict) or not isinstance(checkpoint.get("state_dict"), Mapping):
        raise ModelError(
            f"weights file {path.name} should hold a dictionary of "
            "task, architecture, arguments and state_dict"
        )
    return checkpoint


def _pickles(content: bytes, path: Path) -> list[bytes]:
    """Return the pickles in a ``.pth``; of one of the old kind, which begins with them, all of it.

    Zip files with compressed parts, as a bomb has them, are refused: torch compresses none.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = archive.infolist()
            size = sum(part.file_size for part in parts)
            if size <= 2 * len(content):
                pickles = [part for part in parts if part.filename.lower().endswith(".pkl")]
                return [archive.read(part) for part in pickles]
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError, RuntimeError):
        return [content]  # a bare pickle, or a file that torch refuses
    raise ModelError(
        f"weights file {path.name} is damaged: {len(content)} bytes claim to hold {size}"
    )


def _check_pickle(content: bytes, path: Path) -> None:
    """Refuse a pickle that torch would read, but that fills the memory."""
    file = io.BytesIO(content)
    try:
        for _ in range(_PICKLES):
            for _, argument, position in pickletools.genops(file):
                is_long = position is not None and position > _LARGEST_PICKLE
                if is_long or (isinstance(argument, str) and "bytearray" in argument):
                    raise ModelError(
                        f"weights file {path.name} is damaged: it holds much beside its tensors"
                    )
    except ModelError:
        raise
    except Exception:  # torch refuses it too, or these are the tensors behind the pickles
        return


def parse_tensors(content: bytes, path: Path) -> dict[str, "Tensor"]:
    """Return the named tensors of a weights file; those of floating point become float32.

    Raises
    ------
    ModelError
        If the file is damaged, or a value is not finite.
    """
    import safetensors
    import torch
    from safetensors.torch import load

    if path.suffix == ".pth":
        state = parse_pth(content, path)["state_dict"]
    else:
        try:
            state = load(content)
        except (safetensors.SafetensorError, ValueError, KeyError) as error:
            raise ModelError(f"weights file {path.name} is damaged: {error}") from error
    tensors = {}
    for name, value in state.items():
        if not (isinstance(name, str) and isinstance(value, torch.Tensor) and _is_plain(value)):
            raise ModelError(f"weights file {path.name} holds no tensor under {name!r}")
        if value.numel() * value.element_size() > len(content):
            raise ModelError(
                f"weights file {path.name} is damaged: {name!r} is larger than the whole file"
            )
        tensors[name] = value.float() if value.is_floating_point() else value
        if not torch.isfinite(tensors[name]).all():
            raise ModelError(
                f"weights file {path.name} holds values in {name!r} that are not finite"
            )
    return tensors


def _is_plain(tensor: "Tensor") -> bool:
    """Return whether a tensor is dense, unquantized and in the memory of the CPU."""
    import torch

    is_dense = tensor.layout == torch.strided
    return is_dense and tensor.device.type == "cpu" and not tensor.is_quantized
