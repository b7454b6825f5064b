"""Networks: one architecture a file, each with a `Descriptor`."""

from collections.abc import Mapping
from typing import Any

from torch import nn

from napari_defocus.networks.estimator import DualEstimator, SingleEstimator
from napari_defocus.networks.generator import Generator
from napari_defocus.networks.paper import PaperGenerator

ARCHITECTURES: dict[str, type[nn.Module]] = {
    "single-estimator": SingleEstimator,
    "dual-estimator": DualEstimator,
    "generator": Generator,
    "paper-generator": PaperGenerator,
}


def build(architecture: str, arguments: Mapping[str, Any]) -> nn.Module:
    """Make a network by the name of its architecture.

    Parameters
    ----------
    architecture : str
        A key of `ARCHITECTURES`.
    arguments : mapping
        Keyword arguments of its class.

    Returns
    -------
    nn.Module
        Randomly initialized, with a ``descriptor``.

    Raises
    ------
    KeyError
        For an unknown architecture.

    Examples
    --------
    >>> build("generator", {"width": 8}).descriptor.task
    'deblur'
    """
    return ARCHITECTURES[architecture](**arguments)
