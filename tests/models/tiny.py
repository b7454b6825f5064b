"""A network of a few weights, and its card."""

import torch
from torch import nn

from napari_defocus.models import ModelCard
from napari_defocus.networks.descriptor import Descriptor

FIELDS = {
    "task": "single",
    "architecture": "tiny",
    "arguments": {"width": 4},
    "version": "1",
    "license": "CC0-1.0",
    "description": "a test",
    "data": "none",
    "recipe": {"steps": 0},
    "figures": {"psnr": 1.5},
}


class TinyNetwork(nn.Module):
    descriptor = Descriptor(task="single", receptive_radius=1, multiple=8)

    def __init__(self, width: int = 4):
        super().__init__()
        if width < 1:
            raise ValueError(f"width is {width}")
        self.inner = nn.Conv2d(3, width, 3, padding=1)
        self.outer = nn.Conv2d(width, 2, 1)
        self.register_buffer("count", torch.tensor(7))

    def forward(self, x):
        return self.outer(self.inner(x))


def tiny_card(folder, name="mine", **changes):
    """Return a card of the tiny network, before its weights are written."""
    fields = {**FIELDS, **changes}
    return ModelCard(name=name, path=folder / f"{name}.safetensors", sha256="", **fields)


def changed_state(network, **changes):
    """Return the weights of a network, some of them replaced; an underscore stands for a dot."""
    replaced = {name.replace("_", "."): tensor for name, tensor in changes.items()}
    return {**network.state_dict(), **replaced}
