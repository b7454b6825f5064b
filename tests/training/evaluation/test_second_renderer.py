"""Scenes of the second renderer."""

import numpy as np
import pytest

from training.evaluation.second_renderer import _Lens, second_renderer


@pytest.fixture(scope="module")
def scenes(photo_folder):
    return list(second_renderer(photo_folder, 2, 6, held_out=False))


def test_the_same_seed_gives_the_same_scene(scenes, photo_folder):
    again, _ = next(second_renderer(photo_folder, 1, 6, held_out=False))
    np.testing.assert_array_equal(again.blurred, scenes[0][0].blurred)
    assert (scenes[1][0].blurred != again.blurred).any()


def test_scenes_have_true_radii_and_values_for_display(scenes):
    for blurred, mapped in scenes:
        assert blurred.blurred.shape == blurred.target.shape == (256, 256, 3)
        assert 0 <= blurred.blurred.min() <= blurred.blurred.max() <= 1
        assert 0 <= blurred.radius.min() <= blurred.radius.max() <= 12.5
        assert (blurred.blur >= blurred.radius).all()
        np.testing.assert_array_equal(mapped.truth, blurred.radius)


@pytest.mark.parametrize("radius", [-6.0, 3.0, 0.1])
def test_kernels_hold_their_light_and_turn_with_the_sign(radius):
    lens = _Lens(blades=5, turn=0.3, cut=0.4, azimuth=1.0)
    kernel = lens.kernel(radius, 0.5)
    assert kernel.sum() == pytest.approx(1)
    assert kernel.min() >= 0
    turned = lens.kernel(-radius, 0.5)[::-1, ::-1]
    np.testing.assert_allclose(kernel, turned, atol=0.01)


def test_blur_removes_detail_by_its_radius(scenes):
    scene = max((blurred for blurred, _ in scenes), key=lambda blurred: np.median(blurred.radius))
    assert np.median(scene.radius) > 2
    steps = [np.abs(np.diff(image, axis=0)).mean() for image in (scene.blurred, scene.target)]
    assert steps[0] < 0.8 * steps[1]
