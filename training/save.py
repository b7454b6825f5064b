"""Trained networks as files that the plugin opens."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import nn

from napari_defocus.models import ModelCard, write_model
from napari_defocus.networks import ARCHITECTURES

LICENSE = "BSD-3-Clause"


def save_network(
    folder: Path,
    name: str,
    architecture: str,
    arguments: Mapping[str, Any],
    network: nn.Module,
    recipe: Mapping[str, Any],
    figures: Mapping[str, Any],
) -> ModelCard:
    """Write a network into the folder of its run, as half-precision safetensors with a card."""
    card = ModelCard(
        name=name,
        task=ARCHITECTURES[architecture].descriptor.task,
        architecture=architecture,
        arguments=arguments,
        sha256="",
        path=folder / f"{name}.safetensors",
        version="0",
        license=LICENSE,
        description="As left by a training run.",
        data="See the recipe.",
        recipe=recipe,
        figures=figures,
    )
    return write_model(card, network.state_dict())
