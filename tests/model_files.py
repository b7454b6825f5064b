"""Files of untrained networks, as models that the plugin opens."""

from napari_defocus.models import ModelCard, write_model
from napari_defocus.networks import build


def save_untrained(folder, name, architecture, arguments, network=None):
    """Write a network, a new one if none is given, and return its card."""
    network = build(architecture, arguments) if network is None else network
    card = ModelCard(
        name=name,
        task=network.descriptor.task,
        architecture=architecture,
        arguments=arguments,
        sha256="",
        path=folder / f"{name}.safetensors",
        version="0",
        license="",
        description="",
        data="",
        recipe={},
        figures={},
    )
    return write_model(card, network.state_dict())
