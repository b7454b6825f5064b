"""Rendered specimens, bright or dark, in and out of focus."""

from dataclasses import replace
from functools import cache

import torch

from training.data.micrograph import DetectorOptions, micrograph
from training.data.microscopy_renderer import MicroscopyRenderer, SpecimenOptions
from training.data.rng import SampleRNG

SIZE = 64


@cache
def scenes(corpus, count=8, first=0, **options):
    options = SpecimenOptions(max_radius=5.0, **options)
    rng = SampleRNG.from_key(3, samples=range(first, first + count))
    return MicroscopyRenderer(corpus, options).draw(rng, SIZE)


def take_pictures(batch, **options):
    return micrograph(
        batch, SampleRNG.from_key(4, samples=range(len(batch.sharp))), DetectorOptions(**options)
    )


def quiet(batch):
    """As a detector without faults would see them."""
    plenty = (1e6, 1.00001e6)
    none = {"vignetting": 0.0, "hot_share": 0.0, "gain_noise": 0.0, "read": (0.01, 0.0101)}
    return take_pictures(batch, photons=plenty, bright_photons=plenty, **none)


def test_a_scene_does_not_depend_on_its_batch(corpus):
    whole, part = scenes(corpus, 4), scenes(corpus, 2, first=2)
    torch.testing.assert_close(whole.stacked()[2:], part.stacked(), atol=1e-4, rtol=1e-3)


def test_scenes_are_gray_with_equal_views(corpus):
    batch = scenes(corpus)
    assert torch.equal(batch.left, batch.right)
    for image in (batch.sharp, batch.left):
        torch.testing.assert_close(image[:, 0], image[:, 2])


def test_fluorescent_structures_are_bright_and_transmitted_ones_dark(corpus):
    shining, absorbing = (
        scenes(corpus, 24, transmitted_share=share, haze_share=0.0) for share in (0.0, 1.0)
    )
    assert shining.fluorescent.all()
    assert not absorbing.fluorescent.any()
    # a dark ground, and peaks far above it
    values = shining.sharp[:, 0].flatten(1)
    skew = (values - values.mean(1, keepdim=True)).pow(3).mean(1)
    assert (skew > 0).float().mean() > 0.7
    # a ground that passes all light, and nothing brighter
    brightest = absorbing.sharp.amax((1, 2, 3))
    assert brightest.max() < 1.001
    assert brightest.median() > 0.95
    assert (absorbing.sharp.amin((1, 2, 3)) < 0.9 * brightest).float().mean() > 0.9


def test_defocus_lowers_contrast_and_keeps_light(corpus):
    batch = scenes(corpus, 24, min_radius=3.0, transmitted_share=0.0)
    rough = [image.diff(dim=-1).abs().mean((1, 2, 3)) for image in (batch.sharp, batch.left)]
    assert (rough[1] < rough[0]).all()
    light = [image.mean((1, 2, 3)) for image in (batch.sharp, batch.left)]
    torch.testing.assert_close(light[1], light[0], atol=0.03, rtol=0.2)


def test_haze_of_other_depths_is_in_the_sharp_picture_too(corpus):
    clear, hazy = (scenes(corpus, 24, transmitted_share=0.0, haze_share=s) for s in (0.0, 1.0))
    added = hazy.sharp - clear.sharp
    assert added.mean() > 0.02
    torch.testing.assert_close(added, hazy.left - clear.left, atol=1e-4, rtol=1e-3)


def test_radii_lie_in_their_range(corpus):
    largest = scenes(corpus, 24, min_radius=1.0).radius.abs().amax((1, 2, 3))
    assert largest.min() > 0.2
    assert largest.max() <= 5


def test_values_are_scaled_as_the_plugin_scales_them(corpus):
    picture = take_pictures(scenes(corpus)).center
    assert picture.amin((1, 2, 3)).max() == 0
    assert picture.amax((1, 2, 3)).min() > 0.999


def test_in_focus_images_differ_only_by_noise(corpus):
    batch = scenes(corpus)
    batch = replace(batch, left=batch.sharp, right=batch.sharp)
    photos = quiet(batch)
    assert (photos.sharp - photos.center).abs().mean() < 0.003


def test_few_photons_are_noisy(corpus):
    batch = scenes(corpus, transmitted_share=0.0)
    few, many = (
        (take_pictures(batch, photons=(n, n + 1), hot_share=0.0).center.diff(dim=-1)).abs().mean()
        for n in (20, 5000)
    )
    assert few > 1.5 * many


def test_hot_pixels_have_their_rate(corpus):
    batch = scenes(corpus, 24)
    even = torch.full_like(batch.sharp, 0.2)
    photos = take_pictures(
        replace(batch, left=even, right=even), photons=(1e3, 1.1e3), hot_share=0.01
    )
    share = (photos.center[:, 0] > 0.9).float().mean().item()
    assert 0 < share < 0.01
