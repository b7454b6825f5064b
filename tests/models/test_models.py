import contextlib
import json
import pickle
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import nn

from napari_defocus.errors import FileError, ModelError, OptionError
from napari_defocus.models import (
    find_model,
    list_models,
    load_network,
    possible_models,
    scale_model,
    taking_part,
    verify,
    write_model,
)
from napari_defocus.models.cards import TASKS, card_from, read_card
from napari_defocus.networks import ARCHITECTURES
from napari_defocus.networks.descriptor import Descriptor, Task

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


class Tiny(nn.Module):
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


@pytest.fixture(autouse=True)
def tiny(monkeypatch):
    monkeypatch.setitem(ARCHITECTURES, "tiny", Tiny)


@pytest.fixture
def network():
    torch.manual_seed(0)
    return Tiny()


@pytest.fixture
def card(tmp_path, network):
    return write_model(tmp_path, "mine", network.state_dict(), **FIELDS)


def test_what_is_written_is_loaded_in_half_precision(card, network):
    loaded = load_network(card)
    assert not loaded.training
    for name, value in network.state_dict().items():
        seen = loaded.state_dict()[name]
        assert seen.dtype == value.dtype
        assert torch.equal(seen, value.half().to(value.dtype))
    assert not any(parameter.requires_grad for parameter in loaded.parameters())


def test_loaded_network_is_shared(card):
    assert load_network(card) is load_network(replace(card))


def test_card_is_read_back(card):
    assert read_card(card.path.with_suffix(".json")) == card
    verify(card)


def test_a_card_need_not_say_where_its_scale_comes_from(card):
    values = json.loads(card.to_json())
    del values["scale_from"]
    assert card_from(values, card.path, "it") == card
    assert scale_model(card) is None
    assert taking_part([card]) == [card]


def test_the_model_that_sets_the_scale_takes_part():
    dual, sharp = find_model("auto", "dual"), find_model("auto", "deblur")
    single = find_model("auto", "single")
    assert scale_model(dual) == single
    assert taking_part([sharp, dual]) == [sharp, dual, single]
    assert taking_part([single, dual]) == [single, dual]


def test_only_two_views_take_their_scale_from_another_model(card):
    values = {**json.loads(card.to_json()), "scale_from": "single"}
    with pytest.raises(ModelError, match="'dual' alone"):
        card_from(values, card.path, "it")


@pytest.mark.parametrize("name", ["auto", "elsewhere/own.safetensors", "dual-pixel", "nothing"])
def test_scale_comes_from_a_model_of_one_image_in_the_package(card, name):
    with pytest.raises(ModelError):
        scale_model(replace(card, task="dual", scale_from=name))


def test_same_weights_give_the_same_bytes(tmp_path, card, network):
    again = tmp_path / "again"
    again.mkdir()
    assert write_model(again, "mine", network.state_dict(), **FIELDS).sha256 == card.sha256


def test_tasks_are_those_of_the_networks():
    assert get_args(Task) == TASKS


@pytest.mark.parametrize("model", list_models(), ids=lambda card: card.name)
class TestShippedModels:
    def test_loads_and_fits_its_task(self, model):
        network = load_network(model)
        assert network.descriptor.task == model.task
        assert all(parameter.dtype == torch.float32 for parameter in network.parameters())

    def test_weights_say_the_same_as_the_card(self, model):
        own = find_model(model.path, model.task)
        assert own == replace(model, path=own.path)

    def test_card_is_filled_in(self, model):
        for field in ("version", "license", "description", "data", "recipe", "figures"):
            assert getattr(model, field), f"{model.name} lacks {field}"


def test_auto_finds_a_model_for_every_task():
    if not list_models():
        pytest.skip("no weights ship yet")
    for task in TASKS:
        assert find_model("auto", task).task == task


def test_detail_chooses_what_auto_deblurs_with():
    assert find_model("auto", "deblur").name == "photo-faithful"
    assert find_model("auto", "deblur", "natural").name == "photo-natural"
    assert find_model("auto", "single", "natural") == find_model("auto", "single")


def test_what_took_the_image_chooses_what_auto_stands_for():
    assert find_model("auto", "deblur", imaging="microscopy").name == "microscopy-faithful"
    assert find_model("auto", "single", imaging="microscopy").name == "microscopy-single"
    assert find_model("auto", "dual", imaging="microscopy") == find_model("auto", "dual")
    assert find_model("photo-natural", "deblur", imaging="microscopy").name == "photo-natural"
    with pytest.raises(OptionError, match="detail is 'natural' and the image linear and gray"):
        find_model("auto", "deblur", "natural", "microscopy")


def test_all_that_auto_may_stand_for():
    names = [card.name for card in possible_models("auto", "deblur")]
    assert names == ["photo-faithful", "microscopy-faithful"]
    assert [card.name for card in possible_models("single", "single")] == ["single"]


@pytest.mark.parametrize(
    ("name", "detail", "words"),
    [
        ("auto", "sharp", "detail is 'sharp'; accepted are faithful, natural"),
        ("photo-faithful", "natural", "detail is 'natural' and the model 'photo-faithful'"),
    ],
)
def test_detail_that_cannot_be_had_is_an_error(name, detail, words):
    with pytest.raises(OptionError, match=words):
        find_model(name, "deblur", detail)


def test_own_file_is_found_by_its_path(card):
    found = find_model(str(card.path), "single")
    assert found.sha256 == card.sha256
    assert found.arguments == {"width": 4}
    assert load_network(found)(torch.zeros(1, 3, 8, 8)).shape == (1, 2, 8, 8)


def test_own_pth_file_is_found_and_loaded(tmp_path, network):
    path = tmp_path / "mine.pth"
    told = {"task": "single", "architecture": "tiny", "arguments": {"width": 4}}
    torch.save({**told, "state_dict": network.state_dict()}, path)
    loaded = load_network(find_model(path, "single"))
    assert torch.equal(loaded.inner.weight, network.inner.weight)


class Payload:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (Path.touch, (self.path,))


@pytest.mark.parametrize("legacy", [False, True], ids=["zip", "pickle"])
def test_code_in_a_pth_file_is_not_run(tmp_path, legacy):
    path, proof = tmp_path / "evil.pth", tmp_path / "ran"
    value = {**FIELDS, "state_dict": {"inner.weight": Payload(proof)}}
    torch.save(value, path, _use_new_zipfile_serialization=not legacy)
    with pytest.raises(ModelError, match="code"):
        find_model(path, "single")
    assert not proof.exists()


def test_bare_pickle_is_not_run(tmp_path):
    path, proof = tmp_path / "evil.pth", tmp_path / "ran"
    path.write_bytes(pickle.dumps(Payload(proof)))
    with pytest.raises(ModelError, match="code"):
        find_model(path, "single")
    assert not proof.exists()


def test_unknown_name_is_answered_with_the_choices():
    with pytest.raises(ModelError, match="no model 'nonsense'") as error:
        find_model("nonsense", "single")
    for shipped in list_models():
        assert (shipped.name in str(error.value)) == (shipped.task == "single")


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "a/b", "..", "", "x\0y"])
def test_names_do_not_reach_other_files(name):
    with pytest.raises(ModelError, match="should end in|no model"):
        find_model(name, "single")


@pytest.mark.parametrize("name", ["missing.safetensors", "missing.pth", "x\0y.safetensors"])
def test_missing_file_is_an_error(tmp_path, name):
    with pytest.raises(ModelError, match="cannot be read"):
        find_model(tmp_path / name, "single")


def test_model_for_another_task_is_an_error(card):
    with pytest.raises(ModelError, match="made for the task 'single', not 'dual'"):
        find_model(card.path, "dual")


def test_tampered_weights_are_refused(card):
    content = bytearray(card.path.read_bytes())
    content[-1] ^= 1
    card.path.write_bytes(content)
    for use in (verify, load_network):
        with pytest.raises(ModelError, match="damaged or was tampered with"):
            use(card)


def test_missing_weights_are_an_error(card):
    card.path.unlink()
    with pytest.raises(ModelError, match="No such file"):
        load_network(card)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.data())
def test_damaged_own_file_never_gives_another_error(tmp_path, network, data):
    card = write_model(tmp_path, "mine", network.state_dict(), **FIELDS)
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


def test_truncated_pth_is_an_error(tmp_path, network):
    path = tmp_path / "mine.pth"
    torch.save({**FIELDS, "state_dict": network.state_dict()}, path)
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(ModelError, match="damaged"):
        find_model(path, "single")


@pytest.mark.parametrize("value", [[1, 2], {"task": "single"}, {"state_dict": 3}])
def test_pth_of_another_form_is_an_error(tmp_path, value):
    path = tmp_path / "mine.pth"
    torch.save(value, path)
    with pytest.raises(ModelError, match="should hold a dictionary"):
        find_model(path, "single")


def test_pth_without_tensors_is_an_error(tmp_path):
    path = tmp_path / "mine.pth"
    torch.save({**FIELDS, "state_dict": {"inner.weight": 3}}, path)
    with pytest.raises(ModelError, match="holds no tensor under 'inner.weight'"):
        load_network(find_model(path, "single"))


def test_plain_safetensors_is_an_error(tmp_path, network):
    from safetensors.torch import save_file

    save_file(network.state_dict(), tmp_path / "plain.safetensors")
    with pytest.raises(ModelError, match="does not say which network"):
        find_model(tmp_path / "plain.safetensors", "single")


def _state_with(network, **changes):
    return {**network.state_dict(), **{name.replace("_", "."): v for name, v in changes.items()}}


def test_weights_of_the_wrong_shape_are_an_error(tmp_path, network):
    state = _state_with(network, outer_weight=torch.zeros(5, 4, 1, 1))
    wrong = write_model(tmp_path, "wrong", state, **FIELDS)
    with pytest.raises(ModelError, match=r"does not fit the architecture 'tiny'.*outer\.weight"):
        load_network(wrong)


def test_missing_and_superfluous_weights_are_an_error(tmp_path, network):
    state = _state_with(network, more_weight=torch.zeros(1))
    del state["outer.bias"]
    with pytest.raises(ModelError, match="does not fit") as error:
        load_network(write_model(tmp_path, "wrong", state, **FIELDS))
    assert "outer.bias" in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"architecture": "huge"}, "architecture 'huge'; known are"),
        ({"arguments": {"height": 4}}, "does not accept"),
        ({"arguments": {"width": 0}}, "does not accept: width is 0"),
        ({"task": "deblur"}, "made for 'single'"),
    ],
)
def test_card_that_does_not_fit_the_network_is_an_error(tmp_path, network, changes, words):
    card = write_model(tmp_path, "wrong", network.state_dict(), **{**FIELDS, **changes})
    with pytest.raises(ModelError, match=words):
        load_network(card)


def test_pth_with_infinite_weights_is_an_error(tmp_path, network):
    path = tmp_path / "mine.pth"
    state = _state_with(network, outer_bias=torch.full((2,), torch.inf))
    torch.save({**FIELDS, "state_dict": state}, path)
    with pytest.raises(ModelError, match="not finite"):
        load_network(find_model(path, "single"))


def test_weights_too_large_for_half_precision_are_not_written(tmp_path, network):
    state = _state_with(network, outer_bias=torch.full((2,), 1e6))
    with pytest.raises(ModelError, match=r"'outer\.bias' .* not finite in half"):
        write_model(tmp_path, "mine", state, **FIELDS)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["", "../up", "a/b", "Upper", "dots.in", "-x", "x-", "nul\0"])
def test_names_that_are_no_names_are_not_written(tmp_path, network, name):
    with pytest.raises(ModelError, match="model name"):
        write_model(tmp_path, name, network.state_dict(), **FIELDS)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"task": "guess"}, "has the task 'guess'; known are single, dual, deblur"),
        ({"arguments": None}, "NoneType for the field 'arguments'; it should be a table"),
        ({"license": 3}, "int for the field 'license'; it should be text"),
        ({"recipe": {"of": object()}}, "cannot be written"),
    ],
)
def test_cards_that_are_no_cards_are_not_written(tmp_path, network, changes, words):
    with pytest.raises(ModelError, match=words):
        write_model(tmp_path, "mine", network.state_dict(), **{**FIELDS, **changes})
    assert list(tmp_path.iterdir()) == []


def test_folder_that_is_not_there_is_an_error(tmp_path, network):
    with pytest.raises(FileError, match="cannot be written: there is no folder"):
        write_model(tmp_path / "no", "mine", network.state_dict(), **FIELDS)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no /dev/full")
def test_full_disk_leaves_what_was_there(card, network, monkeypatch):
    before = card.path.read_bytes()
    real = Path.open

    def full(path, *how):
        return real(Path("/dev/full"), "r+b") if path.suffix == ".part" else real(path, *how)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", full)
        with pytest.raises(FileError, match="No space left"):
            write_model(card.path.parent, "mine", network.state_dict(), **FIELDS)
    assert card.path.read_bytes() == before


@pytest.mark.parametrize("content", ["", "{", "[]", '"x"', "\xff", '{"name": "mine"}'])
def test_damaged_card_is_an_error(card, content):
    path = card.path.with_suffix(".json")
    path.write_bytes(content.encode("latin-1"))
    with pytest.raises(ModelError, match=r"mine\.json"):
        read_card(path)


def test_card_under_another_name_is_an_error(card):
    other = card.path.with_name("other.json")
    card.path.with_suffix(".json").rename(other)
    with pytest.raises(ModelError, match="names the model 'mine'; it should be 'other'"):
        read_card(other)


def test_card_cannot_send_the_reader_elsewhere(card):
    values = {**json.loads(card.to_json()), "path": "/etc/passwd"}
    assert card_from(values, card.path, "a card").path == card.path


def test_listing_and_finding_models_imports_no_torch():
    code = (
        "import sys; from napari_defocus.models import list_models, find_model;"
        "[find_model(card.path, card.task) for card in list_models()];"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
