"""LPIPS: published values, and features with a gradient."""

import numpy as np
import pytest
import torch
from PIL import Image

from training.lpips import Lpips


@pytest.fixture(params=["alex", "squeeze"])
def network(request, lpips_folder):
    return Lpips(lpips_folder / f"{request.param}.safetensors")


def read(path):
    with Image.open(path) as image:
        pixels = np.asarray(image.convert("RGB"), np.float32) / 255
    return torch.from_numpy(pixels).permute(2, 0, 1)


@pytest.mark.parametrize(("name", "distance"), [("ex_p0", 0.7219), ("ex_p1", 0.1376)])
def test_the_example_pairs_have_the_published_distances(lpips_folder, name, distance):
    alex = Lpips(lpips_folder / "alex.safetensors")
    reference, other = (read(lpips_folder / f"{n}.png") for n in ("ex_ref", name))
    assert alex(reference, other) == pytest.approx(distance, abs=1e-4)


def test_a_batch_has_the_features_of_its_images(network):
    images = torch.rand(3, 3, 64, 80, generator=torch.Generator().manual_seed(0))
    batch, single = network.features(images), network.features(images[1:2])
    for together, alone in zip(batch, single, strict=True):
        torch.testing.assert_close(together[1:2], alone, atol=1e-3, rtol=1e-3)


def test_features_have_a_gradient_in_the_image_alone(network):
    image = torch.full((1, 3, 64, 64), 0.5, requires_grad=True)
    sum(tap.mean() for tap in network.features(image)).backward()
    assert image.grad.abs().sum() > 0
    assert not list(network.parameters())
    assert not network.state_dict()
