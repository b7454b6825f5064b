"""Perceptual loss with the networks of LPIPS and with VGG19."""

import pytest
import torch
from safetensors.torch import save_file

from training.data.rng import SampleRNG
from training.errors import TrainingError
from training.lpips import Lpips
from training.perceptual import Vgg19Features, load_features, perceptual_loss

VGG = {0: (3, 64), 2: (64, 64), 5: (64, 128), 7: (128, 128), 10: (128, 256), 12: (256, 256)}
VGG |= {14: (256, 256), 28: (4, 4)}


@pytest.fixture(scope="module")
def vgg(tmp_path_factory):
    """File of random weights with the names of torchvision's VGG19."""
    generator = torch.Generator().manual_seed(0)
    state = {}
    for index, (before, after) in VGG.items():
        weight = torch.randn(after, before, 3, 3, generator=generator)
        state[f"features.{index}.weight"] = weight / (4.5 * before) ** 0.5
        state[f"features.{index}.bias"] = torch.zeros(after)
    path = tmp_path_factory.mktemp("vgg") / "vgg19.safetensors"
    save_file(state, path)
    return path


@pytest.fixture
def pictures(pool):
    scenes = pool.draw(SampleRNG.from_key(0, samples=range(2)), 48)
    return scenes.sharp.clamp(0, 1), scenes.left.clamp(0, 1)


def test_vgg_has_one_feature_map_of_a_quarter_of_the_size(vgg, pictures):
    network = load_features(vgg)
    assert isinstance(network, Vgg19Features)
    [feature] = network.features(pictures[0])
    assert feature.shape == (2, 256, 12, 12)
    assert not list(network.parameters())
    assert not network.state_dict()


@pytest.mark.parametrize("name", ["vgg", "alex", "squeeze"])
def test_the_loss_grows_with_the_difference_and_has_a_gradient(name, request, pictures):
    if name == "vgg":
        path = request.getfixturevalue("vgg")
    else:
        path = request.getfixturevalue("lpips_folder") / f"{name}.safetensors"
    network = load_features(path)
    assert isinstance(network, Vgg19Features if name == "vgg" else Lpips)
    sharp, blurred = pictures
    assert perceptual_loss(network, sharp, sharp) == 0
    half = perceptual_loss(network, (sharp + blurred) / 2, sharp)
    restored = blurred.clone().requires_grad_()
    whole = perceptual_loss(network, restored, sharp)
    assert 0 < half < whole
    whole.backward()
    assert restored.grad.abs().sum() > 0


@pytest.mark.parametrize("content", [None, b"", b"no tensors", {"trunk.stem.weight": 3}])
def test_other_files_are_refused_in_one_sentence(tmp_path, content):
    path = tmp_path / "some.safetensors"
    if isinstance(content, dict):
        save_file({name: torch.zeros(size) for name, size in content.items()}, path)
    elif content is not None:
        path.write_bytes(content)
    with pytest.raises(TrainingError, match="cannot be used for the perceptual loss") as error:
        load_features(path)
    assert "\n" not in str(error.value)
