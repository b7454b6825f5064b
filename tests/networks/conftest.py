"""Networks as tests need them."""

import pytest
import torch

from napari_defocus.networks import build


@pytest.fixture
def randomised():
    """Make a network without the zero weights that let it start as the identity."""

    def make(architecture, **arguments):
        torch.manual_seed(0)
        network = build(architecture, arguments).eval()
        for parameter in network.parameters():
            if not parameter.any():
                torch.nn.init.normal_(parameter, std=0.05)
        return network

    return make
