"""Loading of weights: verified against the card and fitted to the network."""

import contextlib
from dataclasses import replace

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from napari_defocus.errors import ModelError
from napari_defocus.models import find_model, list_models, load_network, verify, write_model

from .tiny import FIELDS, changed_state, tiny_card


def test_weights_are_loaded_in_the_precision_they_were_written_in(card, network):
    loaded = load_network(card)
    assert not loaded.training
    for name, expected in network.state_dict().items():
        actual = loaded.state_dict()[name]
        assert actual.dtype == expected.dtype
        assert torch.equal(actual, expected.half().to(expected.dtype))
    assert not any(parameter.requires_grad for parameter in loaded.parameters())


def test_a_loaded_network_is_shared(card):
    assert load_network(card) is load_network(replace(card))


@pytest.mark.parametrize("model", list_models(), ids=lambda card: card.name)
def test_shipped_weights_fit_their_network_and_task(model):
    network = load_network(model)
    assert network.descriptor.task == model.task
    assert all(parameter.dtype == torch.float32 for parameter in network.parameters())


@pytest.mark.parametrize("use", [verify, load_network])
def test_tampered_weights_are_refused(card, use):
    content = bytearray(card.path.read_bytes())
    content[-1] ^= 1
    card.path.write_bytes(content)
    with pytest.raises(ModelError, match="damaged or was tampered with"):
        use(card)


def test_missing_weights_are_an_error(card):
    card.path.unlink()
    with pytest.raises(ModelError, match="No such file"):
        load_network(card)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.data())
def test_a_damaged_own_file_raises_only_model_errors(tmp_path, network, data):
    card = write_model(tiny_card(tmp_path), network.state_dict())
    content = bytearray(card.path.read_bytes())
    if data.draw(st.booleans(), "cut"):
        content = content[: data.draw(st.integers(0, len(content) - 1), "length")]
    else:
        content[data.draw(st.integers(0, len(content) - 1), "place")] = data.draw(
            st.integers(0, 255), "value"
        )
    card.path.write_bytes(content)
    with contextlib.suppress(ModelError):
        load_network(find_model(card.path, "single"))


def test_a_pth_file_without_tensors_is_an_error(tmp_path):
    path = tmp_path / "mine.pth"
    torch.save({**FIELDS, "state_dict": {"inner.weight": 3}}, path)
    with pytest.raises(ModelError, match=r"no tensor.*'inner\.weight'"):
        load_network(find_model(path, "single"))


def test_a_pth_file_with_infinite_weights_is_an_error(tmp_path, network):
    path = tmp_path / "mine.pth"
    state = changed_state(network, outer_bias=torch.full((2,), torch.inf))
    torch.save({**FIELDS, "state_dict": state}, path)
    with pytest.raises(ModelError, match="not finite"):
        load_network(find_model(path, "single"))


def test_weights_of_the_wrong_shape_are_an_error(tmp_path, network):
    state = changed_state(network, outer_weight=torch.zeros(5, 4, 1, 1))
    card = write_model(tiny_card(tmp_path), state)
    with pytest.raises(ModelError, match=r"does not fit.*'tiny'.*outer\.weight"):
        load_network(card)


def test_missing_and_superfluous_weights_are_an_error(tmp_path, network):
    state = changed_state(network, more_weight=torch.zeros(1))
    del state["outer.bias"]
    card = write_model(tiny_card(tmp_path), state)
    with pytest.raises(ModelError, match="does not fit") as error:
        load_network(card)
    assert "outer.bias" in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"architecture": "huge"}, "'huge'.*tiny"),
        ({"arguments": {"height": 4}}, "does not accept"),
        ({"arguments": {"width": 0}}, "does not accept: width is 0"),
        ({"task": "deblur"}, "'deblur'.*'single'"),
    ],
)
def test_a_card_that_does_not_fit_its_network_is_an_error(tmp_path, network, changes, words):
    card = write_model(tiny_card(tmp_path, **changes), network.state_dict())
    with pytest.raises(ModelError, match=words):
        load_network(card)
