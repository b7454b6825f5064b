"""Fixtures: a tiny network among the architectures, and its model."""

import pytest
import torch

from napari_defocus.models import write_model
from napari_defocus.networks import ARCHITECTURES

from .tiny import TinyNetwork, tiny_card


@pytest.fixture(autouse=True)
def tiny_architecture(monkeypatch):
    monkeypatch.setitem(ARCHITECTURES, "tiny", TinyNetwork)


@pytest.fixture
def network():
    torch.manual_seed(0)
    return TinyNetwork()


@pytest.fixture
def card(tmp_path, network):
    return write_model(tiny_card(tmp_path), network.state_dict())
