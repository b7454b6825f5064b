"""Write a model: half-precision safetensors and, beside them, the card."""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ModelError
from ..io.atomic import atomic_file
from .cards import ModelCard, card_from
from .files import digest

if TYPE_CHECKING:
    from torch import Tensor

    from ..networks.descriptor import Task

_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def write_model(
    folder: str | os.PathLike[str],
    name: str,
    state: Mapping[str, "Tensor"],
    *,
    task: "Task",
    architecture: str,
    arguments: Mapping[str, Any],
    version: str,
    license: str,  # noqa: A002
    description: str,
    data: str,
    recipe: Mapping[str, Any],
    figures: Mapping[str, Any],
    scale_from: str = "",
) -> ModelCard:
    """Write ``NAME.safetensors`` in half precision and ``NAME.json``, replacing what was there.

    Parameters
    ----------
    folder : path
        An existing folder.
    name : str
        Lower-case letters and digits, in groups joined by hyphens.
    state : mapping of str to Tensor
        ``network.state_dict()``.
    task, architecture, arguments, version, license, description, data, recipe, figures, scale_from
        As in `ModelCard`.

    Returns
    -------
    ModelCard
        The card as written, with the sha256 of the weights file.

    Raises
    ------
    ModelError
        If the name or a field of the card cannot be used, or a weight is not finite in half
        precision.
    FileError
        If the files cannot be written; what was there is then left as it was.
    """
    if not _NAME.fullmatch(name):
        raise ModelError(
            f"model name {name!r} should be lower-case letters and digits joined by hyphens"
        )
    path = Path(folder) / f"{name}.safetensors"
    fields = {
        "name": name,
        "task": task,
        "architecture": architecture,
        "arguments": arguments,
        "version": version,
        "license": license,
        "description": description,
        "data": data,
        "recipe": recipe,
        "figures": figures,
        "scale_from": scale_from,
    }
    card = card_from({**fields, "sha256": ""}, path, f"model {name!r}")
    try:
        described = json.dumps(fields, ensure_ascii=False)
    except (TypeError, ValueError) as error:
        raise ModelError(f"the card of model {name!r} cannot be written: {error}") from error
    content = _half_precision(name, state, described)
    card = replace(card, sha256=digest(content))
    for target, whole in ((path, content), (path.with_suffix(".json"), card.to_json().encode())):
        with atomic_file(target, overwrite=True) as file:
            file.write(whole)
    return card


def _half_precision(name: str, state: Mapping[str, "Tensor"], described: str) -> bytes:
    import torch
    from safetensors.torch import save

    tensors = {}
    for key, value in state.items():
        value = value.detach().cpu()
        half = value.half() if value.is_floating_point() else value
        if not torch.isfinite(half).all():
            raise ModelError(f"weights {key!r} of model {name!r} are not finite in half precision")
        tensors[key] = half.contiguous().clone()
    return save(tensors, metadata={"model": described})
