"""Loader that makes a network, ready to run, from a card."""

import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from textwrap import shorten
from typing import TYPE_CHECKING

from ..errors import ModelError
from .cards import ModelCard
from .registry import FOLDER
from .weights import digest, parse_tensors, read_bytes

if TYPE_CHECKING:
    from torch import Tensor, nn

    from ..networks.network import Network


_MOST_VALUES = 64
_LARGEST_NUMBER = 1024


def verify(card: ModelCard) -> None:
    """Check that the weights file has the sha256 of the card.

    Raises
    ------
    ModelError
        If the file is missing, damaged or tampered with.
    """
    _read_verified(card.path, card.sha256)


def load_network(card: ModelCard) -> "Network":
    """Return the network of a card with its weights, for inference, in float32 on the CPU.

    The network is cached: the same card returns the same object. Copy it before changing it or
    moving it to another device.

    Parameters
    ----------
    card : ModelCard
        From `find_model` or `list_models`.

    Returns
    -------
    Network
        In evaluation mode, without gradients and channels last in memory.

    Raises
    ------
    ModelError
        If the weights are missing, damaged, tampered with, or do not fit the network.
    """
    try:
        arguments = json.dumps(dict(card.arguments), sort_keys=True)
    except (TypeError, ValueError, RecursionError) as error:
        raise ModelError(
            f"weights file {card.path.name} gives arguments that are not plain values: {error}"
        ) from error
    return _load(card.path, card.sha256, card.task, card.architecture, arguments)


def _read_verified(path: Path, sha256: str) -> bytes:
    content = read_bytes(path)
    actual = digest(content)
    if actual != sha256:
        raise ModelError(
            f"weights file {path.name} is damaged or was tampered with: its sha256 is "
            f"{actual[:12]}..., not {sha256[:12]}...; reinstall it"
        )
    return content


@lru_cache(maxsize=8)
def _load(path: Path, sha256: str, task: str, architecture: str, arguments: str) -> "Network":
    import torch

    from ..networks.preparation import prepare_for_inference

    state = parse_tensors(_read_verified(path, sha256), path)
    if path.parent != FOLDER:
        with torch.device("meta"):  # allocates nothing before the weights are known to fit
            skeleton = _build(path, architecture, arguments)
        _fill(skeleton, state, path, architecture, assign=True)
    with torch.device("cpu"):  # other code may have set another default
        network = _build(path, architecture, arguments)
    if network.descriptor.task != task:
        raise ModelError(
            f"weights file {path.name} says its task is {task!r}, but the architecture "
            f"{architecture!r} is made for {network.descriptor.task!r}"
        )
    _fill(network, state, path, architecture)
    return prepare_for_inference(network)


def _fill(
    network: "nn.Module",
    state: "Mapping[str, Tensor]",
    path: Path,
    architecture: str,
    *,
    assign: bool = False,
) -> None:
    try:
        network.load_state_dict(state, assign=assign)
    except RuntimeError as error:
        differences = " ".join(str(error).splitlines()[1:])
        raise ModelError(
            f"weights file {path.name} does not fit the architecture {architecture!r}: "
            f"{shorten(differences, 200)}"
        ) from error


def _build(path: Path, architecture: str, arguments: str) -> "Network":
    from ..networks import ARCHITECTURES, build

    if architecture not in ARCHITECTURES:
        raise ModelError(
            f"weights file {path.name} is for the architecture {architecture!r}; "
            f"accepted are {', '.join(sorted(ARCHITECTURES))}"
        )
    values = json.loads(arguments)
    try:
        _check_size(values)
        return build(architecture, values).float()  # torch's default may be another type
    except Exception as error:  # bad arguments make networks raise any kind
        raise ModelError(
            f"weights file {path.name} gives {architecture!r} arguments it does not accept: {error}"
        ) from error


def _check_size(arguments: object) -> None:
    """Raise a ValueError for too many values or too large ones: they could fill the memory."""
    if isinstance(arguments, Mapping | list):
        if len(arguments) > _MOST_VALUES:
            raise ValueError(f"{len(arguments)} values")
        for value in arguments.values() if isinstance(arguments, Mapping) else arguments:
            _check_size(value)
    elif isinstance(arguments, int | float) and not abs(arguments) <= _LARGEST_NUMBER:
        raise ValueError(f"a value of {arguments}")
