"""Readers of weights files: their bytes, headers and tensors, checked against harmful content.

Safetensors cannot hold code. A user's ``.pth`` can; torch reads it with ``weights_only=True``,
which refuses anything but tensors and plain values.
"""

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ModelError

if TYPE_CHECKING:
    from torch import Tensor

SUFFIXES = (".safetensors", ".pth")


def read_bytes(path: Path) -> bytes:
    """Return the content of a weights file; a ModelError if it cannot be read."""
    try:
        return path.read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ModelError(f"weights file {path} cannot be read: {reason}") from error


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
        header = json.loads(content[8 : 8 + length])
        fields = json.loads(header["__metadata__"]["model"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
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

    _check_inflated(content, path)
    try:
        parsed = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged file makes torch raise a dozen kinds
        raise ModelError(
            f"weights file {path.name} is damaged, or holds code instead of tensors"
        ) from error
    if not isinstance(parsed, dict) or not isinstance(parsed.get("state_dict"), Mapping):
        raise ModelError(
            f"weights file {path.name} should hold a dictionary of "
            "task, architecture, arguments and state_dict"
        )
    return parsed


def _check_inflated(content: bytes, path: Path) -> None:
    """Refuse a zip file with compressed parts, as a bomb has them: torch compresses none."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            size = sum(part.file_size for part in archive.infolist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError):
        return  # a bare pickle, or a file that torch refuses
    if size > 2 * len(content):
        raise ModelError(
            f"weights file {path.name} is damaged: {len(content)} bytes claim to hold {size}"
        )


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

    strided = tensor.layout == torch.strided
    return strided and tensor.device.type == "cpu" and not tensor.is_quantized
