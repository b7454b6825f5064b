"""Writing of models: nothing is written from a bad card, nothing is lost on a full disk."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load

from napari_defocus.errors import FileError, ModelError
from napari_defocus.models import list_models, write_model

from .tiny import changed_state, tiny_card


def test_equal_weights_give_equal_bytes(tmp_path, card, network):
    folder = tmp_path / "again"
    folder.mkdir()
    assert write_model(tiny_card(folder), network.state_dict()).sha256 == card.sha256


@pytest.mark.parametrize("model", list_models(), ids=lambda card: card.name)
def test_a_shipped_model_written_again_has_the_same_bytes(tmp_path, model):
    path = tmp_path / model.path.name
    again = write_model(replace(model, path=path), load(model.path.read_bytes()))
    assert again.sha256 == model.sha256
    card = model.path.with_suffix(".json").read_bytes()
    assert path.with_suffix(".json").read_bytes() == card


def test_weights_too_large_for_half_precision_are_not_written(tmp_path, network):
    state = changed_state(network, outer_bias=torch.full((2,), 1e6))
    with pytest.raises(ModelError, match=r"'outer\.bias'.*not finite in half"):
        write_model(tiny_card(tmp_path), state)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["", "../up", "a/b", "Upper", "dots.in", "-x", "x-", "nul\0"])
def test_invalid_names_are_not_written(tmp_path, network, name):
    with pytest.raises(ModelError, match="model name"):
        write_model(tiny_card(tmp_path, name), network.state_dict())
    assert list(tmp_path.iterdir()) == []


def test_a_path_of_another_name_is_not_written(tmp_path, network):
    card = replace(tiny_card(tmp_path), path=tmp_path / "other.safetensors")
    with pytest.raises(ModelError, match=r"should be mine\.safetensors"):
        write_model(card, network.state_dict())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"task": "guess"}, "'guess'.*single, dual, deblur"),
        ({"arguments": None}, "NoneType.*'arguments'.*should be a table"),
        ({"license": 3}, "int.*'license'.*should be text"),
        ({"recipe": {"of": object()}}, "cannot be written"),
    ],
)
def test_invalid_cards_are_not_written(tmp_path, network, changes, words):
    with pytest.raises(ModelError, match=words):
        write_model(tiny_card(tmp_path, **changes), network.state_dict())
    assert list(tmp_path.iterdir()) == []


def test_a_missing_folder_is_an_error(tmp_path, network):
    with pytest.raises(FileError, match="cannot be written: there is no folder"):
        write_model(tiny_card(tmp_path / "no"), network.state_dict())


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no /dev/full")
def test_a_full_disk_leaves_the_existing_files(card, network, monkeypatch):
    before = card.path.read_bytes()
    open_path = Path.open

    def open_full_device(path, *how):
        part = path.parent.suffix == ".part" and not path.suffix
        return open_path(Path("/dev/full"), "r+b") if part else open_path(path, *how)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", open_full_device)
        with pytest.raises(FileError, match="No space left"):
            write_model(card, network.state_dict())
    assert card.path.read_bytes() == before
