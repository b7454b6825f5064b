"""Corrupted scenes differ from their originals only as their name says."""

import numpy as np
import pytest
from skimage.data import astronaut
from skimage.filters import gaussian

from napari_defocus.image.encoding import decode
from training.evaluation.blurred_scene import BlurredScene
from training.evaluation.corruptions import Corruption, corrupt
from training.metrics import psnr


@pytest.fixture(scope="module")
def scene():
    target = (astronaut()[40:104, 180:244] / 255).astype(np.float32)
    blurred = gaussian(target, 1.5, channel_axis=-1).astype(np.float32)
    radius = np.full((64, 64), 3, np.float32)
    return BlurredScene("a", blurred, target, (blurred, blurred), radius, {"other": target})


@pytest.mark.parametrize("corruption", Corruption)
def test_pictures_stay_pictures(scene, corruption):
    changed = corrupt(scene, corruption)
    assert changed.blurred.shape == changed.target.shape
    assert not changed.others
    for picture in (changed.blurred, changed.target, *(changed.views or ())):
        assert picture.dtype == np.float32
        assert 0 <= picture.min() < picture.max() <= 1


@pytest.mark.parametrize("corruption", [Corruption.jpeg, Corruption.noisy])
def test_files_and_noise_spoil_the_blurred_picture_alone(scene, corruption):
    changed = corrupt(scene, corruption)
    assert 25 < psnr(changed.blurred, scene.blurred) < 45
    assert np.array_equal(changed.target, scene.target)
    assert np.array_equal(changed.radius, scene.radius)


def test_overexposure_clips_highlights(scene):
    changed = corrupt(scene, Corruption.overexposed)
    for before, after in ((scene.blurred, changed.blurred), (scene.target, changed.target)):
        np.testing.assert_allclose(decode(after), (1.8 * decode(before)).clip(0, 1), atol=1e-5)


@pytest.mark.parametrize(
    ("corruption", "side"),
    [(Corruption.half, 32), (Corruption.double, 128), (Corruption.fourfold, 256)],
)
def test_size(scene, corruption, side):
    changed = corrupt(scene, corruption)
    assert changed.blurred.shape == (side, side, 3)
    assert changed.views[1].shape == (side, side, 3)
    assert changed.radius is None
    assert changed.target.mean() == pytest.approx(scene.target.mean(), abs=0.01)


def test_a_sharp_picture_is_its_own_target(scene):
    changed = corrupt(scene, Corruption.sharp)
    assert np.array_equal(changed.blurred, scene.target)
    assert changed.views is None
