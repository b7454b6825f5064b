"""Models: cards and weights, with functions that find, verify, load and write them.

Importing this package does not import torch.
"""

from .cards import ModelCard, describe_network
from .load import load_network, verify
from .registry import (
    find_model,
    is_weights_path,
    list_models,
    possible_models,
    scale_model,
    with_scale_models,
)
from .write import write_model

__all__ = [
    "ModelCard",
    "describe_network",
    "find_model",
    "is_weights_path",
    "list_models",
    "load_network",
    "possible_models",
    "scale_model",
    "verify",
    "with_scale_models",
    "write_model",
]
