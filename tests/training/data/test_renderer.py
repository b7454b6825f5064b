"""Rendered scenes obey the laws of optics."""

import pytest
import torch

from training.data.renderer import Renderer, SceneOptions
from training.data.rng import SampleRNG

SIZE = 64


def rng(count, seed=0, first=0):
    return SampleRNG.from_key(seed, samples=range(first, first + count))


def center(scenes):
    return (scenes.left + scenes.right) / 2


def test_a_scene_does_not_depend_on_its_batch(renderer):
    whole = renderer.draw(rng(4), SIZE)
    parts = [renderer.draw(rng(2, first=first), SIZE) for first in (0, 2)]
    for name in ("sharp", "left", "right", "radius"):
        together = torch.cat([getattr(part, name) for part in parts])
        torch.testing.assert_close(getattr(whole, name), together, atol=1e-5, rtol=1e-5)


def test_other_samples_are_other_scenes(renderer):
    scenes = renderer.draw(rng(2), SIZE)
    assert not torch.equal(scenes.left[0], scenes.left[1])


def test_shapes_and_ranges(renderer, options):
    scenes = renderer.draw(rng(3), SIZE)
    for image in (scenes.sharp, scenes.left, scenes.right):
        assert image.shape == (3, 3, SIZE, SIZE)
        assert image.min() >= 0
    assert scenes.radius.shape == (3, 1, SIZE, SIZE)
    assert scenes.radius.abs().max() <= options.max_radius


def disparity(left, right, reach=5):
    """Shift in px of `left` to the right of `right` with the smallest squared difference."""
    inner = slice(reach, -reach)
    errors = {
        shift: (left.roll(-shift, -1) - right)[..., inner].square().mean().item()
        for shift in range(-reach, reach + 1)
    }
    return min(errors, key=errors.get)


def test_left_content_lies_to_the_right_where_the_radius_is_positive(corpus):
    plain = SceneOptions(layers=1, min_radius=5.0, max_radius=6.0)
    scenes = Renderer(corpus, plain).draw(rng(48), SIZE)
    shifts = [
        (disparity(left.mean(0), right.mean(0)), radius.mean().sign().item())
        for left, right, radius in zip(scenes.left, scenes.right, scenes.radius, strict=True)
        if radius.abs().median() > 3.5 and radius.sign().mean().abs() == 1
    ]
    assert {sign for _, sign in shifts} == {-1.0, 1.0}
    assert min(shift * sign for shift, sign in shifts) > 0


def test_sharper_where_the_radius_is_small(renderer):
    scenes = renderer.draw(rng(16), SIZE)
    error = (center(scenes) - scenes.sharp).abs().mean(1, keepdim=True)
    focused = scenes.radius.abs() < 0.4
    assert error[focused].mean() < 0.3 * error[scenes.radius.abs() > 3].mean()


@pytest.mark.parametrize("seed", [0, 1])
def test_light_is_kept_on_average(renderer, seed):
    scenes = renderer.draw(rng(8, seed), SIZE)
    assert center(scenes).mean().item() == pytest.approx(scenes.sharp.mean().item(), rel=0.1)


def test_radii_of_disparity_follow_those_of_blur_by_a_line_of_each_lens(corpus):
    blur, disparity = (
        Renderer(corpus, SceneOptions(radius_of=what)).draw(rng(8), SIZE)
        for what in ("blur", "disparity")
    )
    assert torch.equal(blur.left, disparity.left)
    slopes = []
    for x, y in zip(blur.radius.flatten(1), disparity.radius.flatten(1), strict=True):
        line = torch.stack([x, torch.ones_like(x)], 1)
        (slope, offset) = torch.linalg.lstsq(line, y).solution
        torch.testing.assert_close(line @ torch.stack([slope, offset]), y, atol=1e-3, rtol=0)
        assert offset.abs() < 0.8
        slopes.append(slope)
    assert 0.5 < min(slopes) < 0.9 < 1.1 < max(slopes) < 2


def test_detail_fades_away_in_places_if_asked_for(corpus):
    def detail(share):
        scenes = Renderer(corpus, SceneOptions(fluorescent_share=0, faded_share=share)).draw(
            rng(8), SIZE
        )
        slopes = scenes.sharp.diff(dim=-1).abs().mean(1)
        return torch.nn.functional.avg_pool2d(slopes[..., :-1], (8, 7)).flatten()

    kept, faded = detail(0.0), detail(1.0)
    assert faded.median() < 0.7 * kept.median()
    assert (faded > kept.median()).float().mean() > 0.1


def test_grit_covers_plain_surfaces_and_blurs_with_them(corpus):
    def detail_of_plain_places(share):
        options = SceneOptions(fluorescent_share=0, min_radius=6, gritty_share=share)
        scenes = Renderer(corpus, options).draw(rng(8), SIZE)
        return [plain(light) for light in (scenes.sharp, center(scenes))]

    def plain(light):
        slopes = light.diff(dim=-1).abs().mean(1)
        return torch.nn.functional.avg_pool2d(slopes[..., :-1], (8, 7)).quantile(0.2)

    (kept, _), (gritty, blurred) = detail_of_plain_places(0.0), detail_of_plain_places(1.0)
    assert gritty > 1.2 * kept
    assert blurred < 0.6 * gritty
