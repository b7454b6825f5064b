"""Choice of a model by name, by path and by "auto"."""

import pickle
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from napari_defocus.errors import ModelError, OptionError
from napari_defocus.models import (
    find_model,
    list_models,
    load_network,
    possible_models,
    scale_model,
    with_scale_models,
)
from napari_defocus.models.cards import TASKS

from .tiny import FIELDS


def test_auto_finds_a_model_for_every_task():
    for task in TASKS:
        assert find_model("auto", task).task == task


def test_detail_chooses_the_deblurring_model_of_auto():
    assert find_model("auto", "deblur").name == "photo-faithful"
    assert find_model("auto", "deblur", "natural").name == "photo-natural"
    assert find_model("auto", "single", "natural") == find_model("auto", "single")


def test_kind_of_imaging_chooses_the_model_of_auto():
    assert find_model("auto", "deblur", imaging="microscopy").name == "microscopy-faithful"
    assert find_model("auto", "single", imaging="microscopy").name == "microscopy-single"
    assert find_model("auto", "dual", imaging="microscopy") == find_model("auto", "dual")
    assert find_model("photo-natural", "deblur", imaging="microscopy").name == "photo-natural"
    with pytest.raises(OptionError, match="detail is 'natural' and the image linear and gray"):
        find_model("auto", "deblur", "natural", "microscopy")


def test_possible_models_are_those_of_auto_for_any_image():
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
def test_detail_that_cannot_be_chosen_is_an_error(name, detail, words):
    with pytest.raises(OptionError, match=words):
        find_model(name, "deblur", detail)


def test_each_model_is_followed_by_its_scale_model():
    dual, sharp = find_model("auto", "dual"), find_model("auto", "deblur")
    single = find_model("auto", "single")
    assert scale_model(dual) == single
    assert with_scale_models([sharp, dual]) == [sharp, dual, single]
    assert with_scale_models([single, dual]) == [single, dual]


def test_a_model_without_a_scale_model_stands_alone(card):
    assert scale_model(card) is None
    assert with_scale_models([card]) == [card]


@pytest.mark.parametrize("name", ["auto", "elsewhere/own.safetensors", "dual-pixel", "nothing"])
def test_the_scale_model_must_be_a_model_of_one_image_in_the_package(card, name):
    with pytest.raises(ModelError):
        scale_model(replace(card, task="dual", scale_from=name))


@pytest.mark.parametrize("model", list_models(), ids=lambda card: card.name)
def test_a_weights_file_holds_the_same_fields_as_its_card(model):
    own = find_model(model.path, model.task)
    assert own == replace(model, path=own.path)


def test_own_file_is_found_by_its_path(card):
    own = find_model(str(card.path), "single")
    assert own.sha256 == card.sha256
    assert own.arguments == {"width": 4}
    assert load_network(own)(torch.zeros(1, 3, 8, 8)).shape == (1, 2, 8, 8)


def test_own_pth_file_is_found_and_loaded(tmp_path, network):
    path = tmp_path / "mine.pth"
    fields = {"task": "single", "architecture": "tiny", "arguments": {"width": 4}}
    torch.save({**fields, "state_dict": network.state_dict()}, path)
    loaded = load_network(find_model(path, "single"))
    assert torch.equal(loaded.inner.weight, network.inner.weight)


class Payload:
    """Makes a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (Path.touch, (self.path,))


@pytest.mark.parametrize("legacy", [False, True], ids=["zip", "pickle"])
def test_code_in_a_pth_file_is_not_run(tmp_path, legacy):
    path, proof = tmp_path / "evil.pth", tmp_path / "ran"
    content = {**FIELDS, "state_dict": {"inner.weight": Payload(proof)}}
    torch.save(content, path, _use_new_zipfile_serialization=not legacy)
    with pytest.raises(ModelError, match="code"):
        find_model(path, "single")
    assert not proof.exists()


def test_a_bare_pickle_is_not_run(tmp_path):
    path, proof = tmp_path / "evil.pth", tmp_path / "ran"
    path.write_bytes(pickle.dumps(Payload(proof)))
    with pytest.raises(ModelError, match="code"):
        find_model(path, "single")
    assert not proof.exists()


def test_the_error_for_an_unknown_name_lists_the_models():
    with pytest.raises(ModelError, match="no model 'nonsense'") as error:
        find_model("nonsense", "single")
    for shipped in list_models():
        assert (shipped.name in str(error.value)) == (shipped.task == "single")


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "a/b", "..", "", "x\0y"])
def test_names_do_not_reach_other_files(name):
    with pytest.raises(ModelError, match="should end in|no model"):
        find_model(name, "single")


@pytest.mark.parametrize("name", ["missing.safetensors", "missing.pth", "x\0y.safetensors"])
def test_a_missing_file_is_an_error(tmp_path, name):
    with pytest.raises(ModelError, match="cannot be read"):
        find_model(tmp_path / name, "single")


def test_a_model_for_another_task_is_an_error(card):
    with pytest.raises(ModelError, match="made for the task 'single', not 'dual'"):
        find_model(card.path, "dual")


def test_a_truncated_pth_file_is_an_error(tmp_path, network):
    path = tmp_path / "mine.pth"
    torch.save({**FIELDS, "state_dict": network.state_dict()}, path)
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(ModelError, match="damaged"):
        find_model(path, "single")


@pytest.mark.parametrize("content", [[1, 2], {"task": "single"}, {"state_dict": 3}])
def test_a_pth_file_of_another_form_is_an_error(tmp_path, content):
    path = tmp_path / "mine.pth"
    torch.save(content, path)
    with pytest.raises(ModelError, match="should hold a dictionary"):
        find_model(path, "single")


def test_safetensors_without_a_description_are_an_error(tmp_path, network):
    from safetensors.torch import save_file

    save_file(network.state_dict(), tmp_path / "plain.safetensors")
    with pytest.raises(ModelError, match="does not say which network"):
        find_model(tmp_path / "plain.safetensors", "single")
