"""Rendered scenes obey the optics they claim."""

import pytest
import torch

from training.data.lens import dual_kernels, random_lenses
from training.data.scene import render


def test_kernels_keep_light_and_lie_on_the_side_of_their_sign():
    lenses = random_lenses(16, torch.Generator().manual_seed(0))
    radius = torch.tensor([-8.0, -3.0, 3.0, 8.0]).expand(16, 4)
    kernels = dual_kernels(lenses, radius, half=10)
    assert kernels.min() >= 0
    torch.testing.assert_close(kernels.sum((-2, -1)), torch.ones(16, 4, 2))
    x = torch.arange(-10.0, 11.0)
    shift = (kernels * x).sum((-2, -1))
    disparity = shift[:, :, 0] - shift[:, :, 1]
    assert (disparity[:, 2:] > 0).all()
    assert (disparity[:, :2] < 0).all()


def test_same_seed_same_scenes(corpus, options):
    first, again = (render(corpus, 2, 3, options) for _ in range(2))
    other = render(corpus, 2, 4, options)
    assert torch.equal(first.left, again.left)
    assert not torch.equal(first.left, other.left)


def test_shapes_and_ranges(corpus, options):
    scenes = render(corpus, 3, 0, options)
    for image in (scenes.sharp, scenes.left, scenes.right):
        assert image.shape == (3, 3, options.size, options.size)
        assert image.min() >= 0
    assert scenes.radius.shape == (3, 1, options.size, options.size)
    assert scenes.radius.abs().max() <= options.max_radius


def disparity(left, right, reach=5):
    """Shift in px of `left` to the right of `right` with the smallest squared difference."""
    inner = slice(reach, -reach)
    errors = {
        shift: (left.roll(-shift, -1) - right)[..., inner].square().mean().item()
        for shift in range(-reach, reach + 1)
    }
    return min(errors, key=errors.get)


def test_left_content_lies_to_the_right_where_the_radius_is_positive(corpus, options):
    signs = []
    for seed in range(20):
        scenes = render(corpus, 8, seed, options)
        for i in range(8):
            radius = scenes.radius[i]
            if radius.abs().median() > 3.5 and radius.sign().mean().abs() == 1:
                found = disparity(scenes.left[i].mean(0), scenes.right[i].mean(0))
                signs.append(found * radius.mean().sign().item())
    assert len(signs) >= 3
    assert min(signs) > 0


def test_sharper_where_the_radius_is_small(corpus, options):
    scenes = render(corpus, 16, 0, options)
    centre = (scenes.left + scenes.right) / 2
    error = (centre - scenes.sharp).abs().mean(1, keepdim=True)
    focused = scenes.radius.abs() < 0.4
    assert error[focused].mean() < 0.3 * error[scenes.radius.abs() > 3].mean()


@pytest.mark.parametrize("seed", [0, 1])
def test_light_is_kept_on_average(corpus, seed, options):
    scenes = render(corpus, 8, seed, options)
    centre = (scenes.left + scenes.right) / 2
    assert centre.mean().item() == pytest.approx(scenes.sharp.mean().item(), rel=0.1)
