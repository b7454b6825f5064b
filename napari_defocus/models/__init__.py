"""The models: cards and weights, found, verified, loaded and written.

Importing it does not import torch.
"""

from .cards import ModelCard
from .load import load_network, verify
from .registry import find_model, list_models, possible_models, scale_model, taking_part
from .write import write_model

__all__ = [
    "ModelCard",
    "find_model",
    "list_models",
    "load_network",
    "possible_models",
    "scale_model",
    "taking_part",
    "verify",
    "write_model",
]
