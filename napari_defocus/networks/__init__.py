"""Networks: one architecture a file, each with a `Descriptor`."""

from collections.abc import Mapping
from typing import Any

from napari_defocus.networks.estimator import DualEstimator, SingleEstimator
from napari_defocus.networks.generator import Generator
from napari_defocus.networks.network import Network
from napari_defocus.networks.paper import PaperGenerator
from napari_defocus.networks.unrolled import UnrolledGenerator

ARCHITECTURES: dict[str, type[Network]] = {
    "single-estimator": SingleEstimator,
    "dual-estimator": DualEstimator,
    "generator": Generator,
    "paper-generator": PaperGenerator,
    "unrolled-generator": UnrolledGenerator,
}


def build(architecture: str, arguments: Mapping[str, Any]) -> Network:
    """Make a network by the name of its architecture.

    Parameters
    ----------
    architecture : str
        A key of `ARCHITECTURES`.
    arguments : mapping
        Keyword arguments of its class.

    Returns
    -------
    Network
        Randomly initialized.

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
