"""Networks with random weights."""

import pytest
import torch

from napari_defocus.networks import build


@pytest.fixture
def randomized():
    """Return a function that makes a network and replaces its initial zero weights."""

    def make(architecture, **arguments):
        torch.manual_seed(0)
        network = build(architecture, arguments).eval()
        for parameter in network.parameters():
            if not parameter.any():
                torch.nn.init.normal_(parameter, std=0.05)
        return network

    return make
