"""From a card to a network that is ready to run."""

import json
from functools import lru_cache
from pathlib import Path
from textwrap import shorten
from typing import TYPE_CHECKING, cast

from ..errors import ModelError
from .cards import ModelCard
from .files import digest, parse_tensors, read_bytes

if TYPE_CHECKING:
    from torch import nn

    from ..networks.descriptor import Descriptor


def verify(card: ModelCard) -> None:
    """Check that the weights are those that the card was written for.

    Raises
    ------
    ModelError
        If the file is missing, damaged or tampered with.
    """
    _read_verified(card.path, card.sha256)


def load_network(card: ModelCard) -> "nn.Module":
    """Return the network of a card with its weights, for inference, in float32 on the CPU.

    The network is kept and shared: the same card gives the same object. Copy it before changing it
    or moving it to another device.

    Parameters
    ----------
    card : ModelCard
        From `find_model` or `list_models`.

    Returns
    -------
    torch.nn.Module
        In evaluation mode, its parameters needing no gradient, with a ``descriptor``.

    Raises
    ------
    ModelError
        If the weights are missing, damaged, tampered with, or do not fit the network.
    """
    arguments = json.dumps(dict(card.arguments), sort_keys=True)
    return _load(card.path, card.sha256, card.task, card.architecture, arguments)


def _read_verified(path: Path, sha256: str) -> bytes:
    content = read_bytes(path)
    seen = digest(content)
    if seen != sha256:
        raise ModelError(
            f"weights file {path.name} is damaged or was tampered with: its sha256 is "
            f"{seen[:12]}..., not {sha256[:12]}...; reinstall it"
        )
    return content


@lru_cache(maxsize=8)
def _load(path: Path, sha256: str, task: str, architecture: str, arguments: str) -> "nn.Module":
    state = parse_tensors(_read_verified(path, sha256), path)
    network = _build(path, architecture, arguments)
    descriptor = cast("Descriptor", network.descriptor)
    if descriptor.task != task:
        raise ModelError(
            f"weights file {path.name} says its task is {task!r}, but the architecture "
            f"{architecture!r} is made for {descriptor.task!r}"
        )
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        differences = " ".join(str(error).splitlines()[1:])
        raise ModelError(
            f"weights file {path.name} does not fit the architecture {architecture!r}: "
            f"{shorten(differences, 200)}"
        ) from error
    return network.eval().requires_grad_(False)


def _build(path: Path, architecture: str, arguments: str) -> "nn.Module":
    from ..networks import ARCHITECTURES, build

    if architecture not in ARCHITECTURES:
        raise ModelError(
            f"weights file {path.name} is for the architecture {architecture!r}; "
            f"known are {', '.join(sorted(ARCHITECTURES))}"
        )
    try:
        return build(architecture, json.loads(arguments))
    except (TypeError, ValueError, RuntimeError) as error:
        raise ModelError(
            f"weights file {path.name} gives {architecture!r} arguments it does not accept: {error}"
        ) from error
