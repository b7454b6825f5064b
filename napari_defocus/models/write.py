"""Writer of a model: half-precision safetensors and, beside them, the card."""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from ..errors import ModelError
from ..io.atomic import atomic_file
from .cards import ModelCard, card_from
from .weights import digest

if TYPE_CHECKING:
    from torch import Tensor

_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def write_model(card: ModelCard, state: Mapping[str, "Tensor"]) -> ModelCard:
    """Write ``NAME.safetensors`` in half precision and ``NAME.json``, replacing existing files.

    Parameters
    ----------
    card : ModelCard
        Its name is lower-case letters and digits, in groups joined by hyphens; its path is
        ``NAME.safetensors`` in an existing folder. Its sha256 is ignored.
    state : mapping of str to Tensor
        ``network.state_dict()``.

    Returns
    -------
    ModelCard
        The card as written, with the sha256 of the new weights file.

    Raises
    ------
    ModelError
        If the name or a field of the card cannot be used, or a weight is not finite in half
        precision.
    FileError
        If the files cannot be written; existing files are then left as they were.
    """
    name, path = card.name, card.path
    if not _NAME.fullmatch(name):
        raise ModelError(
            f"model name {name!r} should be lower-case letters and digits joined by hyphens"
        )
    if path.name != f"{name}.safetensors":
        raise ModelError(f"weights file {path} of model {name!r} should be {name}.safetensors")
    fields = asdict(card)
    del fields["path"], fields["sha256"]
    if not card.correction:  # as in the card
        del fields["correction"]
    card = card_from({**fields, "sha256": ""}, path, f"model {name!r}")
    try:
        header = json.dumps(fields, ensure_ascii=False)
    except (TypeError, ValueError) as error:
        raise ModelError(f"the card of model {name!r} cannot be written: {error}") from error
    weights = _half_precision(name, state, header)
    card = replace(card, sha256=digest(weights))
    for target, content in (
        (path, weights),
        (path.with_suffix(".json"), card.to_json().encode()),
    ):
        with atomic_file(target, overwrite=True) as file:
            file.write(content)
    return card


def _half_precision(name: str, state: Mapping[str, "Tensor"], header: str) -> bytes:
    import torch
    from safetensors.torch import save

    tensors = {}
    for key, value in state.items():
        value = value.detach().cpu()
        half = value.half() if value.is_floating_point() else value
        if not torch.isfinite(half).all():
            raise ModelError(f"weights {key!r} of model {name!r} are not finite in half precision")
        tensors[key] = half.contiguous().clone()
    return save(tensors, metadata={"model": header})
