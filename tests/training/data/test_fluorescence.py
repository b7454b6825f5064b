"""Sparse bright structures on a dark background."""

import pytest
import torch

from training.data.fluorescence import KINDS, SPECIMENS, fluorescent_textures
from training.data.renderer import Renderer, SceneOptions
from training.data.rng import SampleRNG


def test_structures_are_gray_sparse_and_bright():
    light = fluorescent_textures(SampleRNG.from_key(0, samples=range(24)), 96)
    assert light.shape == (24, 3, 96, 96)
    assert torch.equal(light[:, 0], light[:, 2])
    assert light.min() > 0
    torch.testing.assert_close(light.amax((1, 2, 3)), torch.ones(24))
    dark = light[:, 0].flatten(1).median(1).values
    assert (dark < 0.25).float().mean() > 0.8


def test_structures_are_sharp():
    light = fluorescent_textures(SampleRNG.from_key(0, samples=range(24)), 96)[:, 0]
    steepest = light.diff(dim=-1).abs().amax((1, 2))
    assert steepest.min() > 0.1


def test_structures_depend_on_their_sample_alone():
    whole = fluorescent_textures(SampleRNG.from_key(0, samples=range(3)), 48)
    alone = fluorescent_textures(SampleRNG.from_key(0, samples=[1]), 48)
    torch.testing.assert_close(whole[1:2], alone, atol=1e-5, rtol=1e-4)


def test_a_share_of_scenes_shows_fluorescence(corpus):
    renderer = Renderer(corpus, SceneOptions(max_radius=4.0, fluorescent_share=0.5))
    scenes = renderer.draw(SampleRNG.from_key(0, samples=range(24)), 32)
    gray = (scenes.sharp[:, 0] == scenes.sharp[:, 2]).flatten(1).all(1)
    assert torch.equal(gray, scenes.fluorescent)
    assert 4 < scenes.fluorescent.sum() < 20


@pytest.mark.parametrize("kind", SPECIMENS)
def test_each_kind_shines_on_a_dark_ground(kind):
    light = KINDS[kind](SampleRNG.from_key(1, samples=range(4)), 96)
    assert light.shape == (4, 1, 96, 96)
    assert light.isfinite().all()
    assert light.min() >= 0
    assert (light.amax((1, 2, 3)) > 3 * light.mean((1, 2, 3))).all() or kind == "clouds"


def test_points_share_their_light_between_neighboring_pixels():
    light = KINDS["points"](SampleRNG.from_key(1, samples=range(8)), 96)
    cells = torch.nn.functional.avg_pool2d(light, 2, 1) * 4
    assert (cells.amax((1, 2, 3)) > 1.2 * light.amax((1, 2, 3))).float().mean() > 0.8


def test_clouds_are_softer_than_nuclei():
    rng = [SampleRNG.from_key(1, samples=range(8)) for _ in range(2)]
    steepest = [
        (light / light.amax((2, 3), keepdim=True)).diff(dim=-1).abs().amax((1, 2, 3)).mean()
        for light in (KINDS["clouds"](rng[0], 96), KINDS["nuclei"](rng[1], 96))
    ]
    assert steepest[0] < 0.7 * steepest[1]
