"""Photographs of scenes: noise, colors, encoding."""

from dataclasses import replace
from itertools import product

import pytest
import torch

from napari_defocus.optics.light import decode_srgb
from training.data.demosaic import DEMOSAICED, LAYOUTS, demosaic
from training.data.rng import SampleRNG
from training.data.scene import Scenes
from training.data.sensor import SensorOptions, photograph

PICTURES = ("sharp", "center", "left", "right")


CLEAN = SensorOptions(
    shot=(1e-9, 1e-9),
    read=(1e-9, 1e-9),
    gray_share=0,
    bent_share=0,
    jpeg_share=0,
    mosaic_share=0,
    enlarged_share=0,
)


def rng(*samples):
    return SampleRNG.from_key(1, samples=samples)


def gray_field(value, count, *, fluorescent):
    light = torch.full((count, 3, 64, 64), value)
    radius = torch.full((count, 1, 64, 64), 3.0)
    return Scenes(light, light, light, radius, torch.full((count,), fluorescent))


def test_photographs_are_display_values(pool):
    photos = photograph(pool.scenes(0, 8), rng(*range(8)), SensorOptions(), views=True)
    for name in PICTURES:
        image = getattr(photos, name)
        assert image.min() >= 0
        assert image.max() <= 1
        assert image.isfinite().all()
    assert not torch.equal(photos.left, photos.right)


def test_a_photograph_does_not_depend_on_its_batch(pool):
    sensor = SensorOptions(
        jpeg_share=0.5,
        enlarged_share=0.5,
        misaligned_share=0.5,
        veiled_share=0.5,
        smoothed_share=0.5,
    )
    whole = photograph(pool.scenes(0, 4), rng(0, 1, 2, 3), sensor, views=True)
    parts = [
        photograph(pool.scenes(first, 2), rng(first, first + 1), sensor, views=True)
        for first in (0, 2)
    ]
    for name in PICTURES:
        together = torch.cat([getattr(part, name) for part in parts])
        torch.testing.assert_close(getattr(whole, name), together, atol=1e-5, rtol=1e-5)


def test_noise_follows_the_options(pool):
    def roughness(read):
        sensor = replace(CLEAN, read=(read, read))
        photos = photograph(pool.scenes(0, 8), rng(*range(8)), sensor, views=False)
        return photos.center.diff(dim=-1).abs().mean()

    assert roughness(0.05) > 1.5 * roughness(1e-5)


def test_views_are_misaligned_vertically_if_asked_for():
    rows = torch.linspace(0.1, 0.5, 64)[:, None].expand(8, 3, 64, 64).contiguous()
    scenes = Scenes(rows, rows, rows, 0 * rows[:, :1], torch.zeros(8, dtype=torch.bool))

    def apart(share):
        sensor = replace(CLEAN, balance=1.0, misaligned_share=share)
        photos = photograph(scenes, rng(*range(8)), sensor, views=True)
        light = decode_srgb(photos.right) - decode_srgb(photos.left)
        return light[..., 16:-16, :].mean((1, 2, 3)) / (0.4 / 63)

    torch.testing.assert_close(apart(0.0), torch.zeros(8), atol=0.3, rtol=0)
    moved = apart(1.0).abs()
    assert moved.max() > 1
    assert moved.max() < 2.5


def test_views_differ_in_brightness_as_far_as_asked_for():
    scenes = gray_field(0.2, 16, fluorescent=False)
    photos = photograph(
        scenes, rng(*range(16)), replace(CLEAN, balance=1.5, smoothed_share=0), views=True
    )
    ratio = (decode_srgb(photos.left) / decode_srgb(photos.right)).mean((1, 2, 3))
    assert ratio.max() > 1.2
    assert ratio.min() < 1 / 1.2
    assert ratio.max() < 1.55


def test_noise_that_is_kept_is_the_same_in_the_sharp_picture(pool):
    scenes = replace(pool.scenes(0, 8), fluorescent=torch.zeros(8, dtype=torch.bool))
    scenes = replace(scenes, left=scenes.sharp, right=scenes.sharp)
    noisy = replace(CLEAN, read=(0.01, 0.02), shot=(1e-3, 2e-3))

    def apart(kept):
        photos = photograph(scenes, rng(*range(8)), replace(noisy, noise_kept=kept), views=False)
        return (photos.sharp - photos.center).abs().mean()

    assert apart(1.0) < 0.004 < 0.01 < apart(0.0)


def test_glare_leaves_the_mean_light_and_little_contrast(pool):
    scenes = replace(pool.scenes(0, 8), fluorescent=torch.zeros(8, dtype=torch.bool))

    def light(share):
        photos = photograph(scenes, rng(*range(8)), replace(CLEAN, veiled_share=share), views=True)
        return [decode_srgb(image) for image in (photos.sharp, photos.center, photos.left)]

    plain, veiled = light(0.0), light(1.0)
    for before, after in zip(plain, veiled, strict=True):
        assert after.std((2, 3)).mean() < 0.6 * before.std((2, 3)).mean()
        assert after.mean() == pytest.approx(before.mean(), rel=0.25)


def test_blank_photographs_have_no_radius(pool):
    sensor = replace(CLEAN, blank_share=0.5)
    scenes = replace(pool.scenes(0, 8), fluorescent=torch.zeros(8, dtype=torch.bool))
    photos = photograph(scenes, rng(*range(8)), sensor, views=True)
    blank = photos.radius.isnan().flatten(1).any(1)
    assert 0 < blank.sum() < 8
    assert photos.radius[blank].isnan().all()
    for image in (photos.sharp, photos.center, photos.left, photos.right):
        assert image[blank].std((2, 3)).max() < 0.01
        assert image[~blank].std((2, 3)).min() > 0.01


def test_a_camera_that_smooths_leaves_soft_and_weak_noise():
    scenes = gray_field(0.2, 16, fluorescent=False)

    def noise(share):
        sensor = replace(CLEAN, read=(0.02, 0.02), smoothed_share=share)
        photos = photograph(scenes, rng(*range(16)), sensor, views=True)
        return photos.left - photos.left.mean((1, 2, 3), keepdim=True)

    hard, soft = noise(0.0), noise(1.0)
    assert soft.std() < 0.7 * hard.std()
    likeness = [(n[..., 1:] * n[..., :-1]).mean() / n.square().mean() for n in (hard, soft)]
    assert likeness[0] < 0.1
    assert likeness[1] > 0.3


def test_gray_scenes_are_gray(pool):
    sensor = replace(CLEAN, gray_share=1.0)
    photos = photograph(pool.scenes(0, 4), rng(*range(4)), sensor, views=False)
    assert torch.equal(photos.center[:, 0], photos.center[:, 2])


@pytest.mark.parametrize("raw", [0, 1])
def test_fluorescence_is_counted_in_photons(raw):
    scenes = gray_field(0.4, 16, fluorescent=True)
    sensor = replace(CLEAN, photons=(50, 50), raw_share=raw)
    photos = photograph(scenes, rng(*range(16)), sensor, views=False)
    assert torch.equal(photos.center[:, 0], photos.center[:, 2])
    light = photos.center[:, 0] if raw else decode_srgb(photos.center[:, 0])
    unclipped = light[light.mean((1, 2)) < 0.5]
    ratio = unclipped.var((1, 2)) / unclipped.mean((1, 2))
    torch.testing.assert_close(ratio, torch.full_like(ratio, 1 / 50), rtol=0.15, atol=0)


def test_photographs_are_not_counted_in_photons():
    scenes = gray_field(0.3, 4, fluorescent=False)
    photos = photograph(scenes, rng(*range(4)), replace(CLEAN, photons=(20, 20)), views=False)
    assert (photos.center - photos.sharp).abs().max() < 0.01


@pytest.mark.parametrize(
    "degraded",
    [
        {"bent_share": 1.0},
        {"jpeg_share": 1.0},
        {"mosaic_share": 1.0},
        {"shot": (0.1, 0.1)},
    ],
)
@pytest.mark.parametrize("fluorescent", [True, False])
def test_fluorescence_is_not_processed_like_photographs(pool, degraded, fluorescent):
    scenes = replace(pool.scenes(0, 8), fluorescent=torch.full((8,), fluorescent))
    plain = replace(CLEAN, photons=(1e8, 1e8))
    before, after = (
        photograph(scenes, rng(*range(8)), options, views=False).center
        for options in (plain, replace(plain, **degraded))
    )
    assert torch.equal(before, after) is fluorescent


def test_enlarging_grows_the_radius_with_the_picture(pool):
    scenes = pool.scenes(0, 8)
    photos = photograph(scenes, rng(*range(8)), replace(CLEAN, enlarged_share=1), views=False)
    plain = photograph(scenes, rng(*range(8)), CLEAN, views=False)
    growth = (photos.radius / plain.radius)[:, 0, 32, 32]
    assert growth.min() >= 1
    assert growth.max() > 1.5
    rough = [images.diff(dim=-1).abs().mean() for images in (photos.sharp, plain.sharp)]
    assert rough[0] < 0.9 * rough[1]


def test_enlarging_stops_at_the_largest_radius():
    sensor = replace(CLEAN, enlarged_share=1, largest_radius=4.0)
    scenes = gray_field(0.3, 8, fluorescent=False)
    photos = photograph(scenes, rng(*range(8)), sensor, views=False)
    assert 3.9 < photos.radius.max() <= 4.001


def test_demosaicing_keeps_even_colors_and_blurs_detail():
    colors = torch.tensor([0.2, 0.5, 0.8])[None, :, None, None].expand(LAYOUTS, 3, 12, 12)
    layouts = torch.arange(LAYOUTS)
    torch.testing.assert_close(demosaic(colors, layouts), colors)
    noise = torch.rand(1, 3, 32, 32).expand(LAYOUTS, -1, -1, -1)
    assert (demosaic(noise, layouts).std((1, 2, 3)) < 0.8 * noise.std()).all()


def test_cameras_use_all_mosaic_layouts():
    light = torch.rand(1, 3, 16, 16).expand(32, -1, -1, -1)
    scenes = Scenes(light, light, light, torch.zeros(32, 1, 16, 16), torch.zeros(32).bool())
    photos = photograph(scenes, rng(*range(32)), replace(CLEAN, mosaic_share=1), views=False)
    as_measured = (photos.center - photos.sharp).abs() < 1 / 255
    red = torch.stack([as_measured[:, 0, y::2, x::2].all((1, 2)) for y in (0, 1) for x in (0, 1)])
    assert (red.sum(0) == 1).all()
    assert (red.sum(1) > 0).all()


def test_demosaicing_softens_photographs(pool):
    soft = photograph(
        pool.scenes(0, 4), rng(*range(4)), replace(CLEAN, mosaic_share=1), views=False
    )
    plain = photograph(pool.scenes(0, 4), rng(*range(4)), CLEAN, views=False)
    roughness = [photos.center.diff(dim=-1).abs().mean() for photos in (soft, plain)]
    assert roughness[0] < roughness[1]
    assert torch.equal(soft.sharp, plain.sharp)


def test_blur_combines_defocus_and_softness(pool):
    scenes = replace(pool.scenes(0, 4), fluorescent=torch.tensor([False] * 3 + [True]))
    soft, plain = (
        photograph(scenes, rng(*range(4)), replace(CLEAN, mosaic_share=share), views=False)
        for share in (1, 0)
    )
    assert torch.equal(plain.blur, plain.radius.abs())
    assert torch.equal(soft.radius, plain.radius)
    expected = torch.hypot(soft.radius, torch.tensor(DEMOSAICED))
    torch.testing.assert_close(soft.blur[:3], expected[:3])
    assert torch.equal(soft.blur[3], plain.blur[3])


def test_a_camera_that_smooths_is_as_soft_as_its_gaussian():
    sensor = replace(CLEAN, smoothed_share=1)
    softness = photograph(
        gray_field(0.3, 8, fluorescent=False), rng(*range(8)), sensor, views=False
    ).softness
    assert softness.min() >= 2 * 0.4
    assert softness.max() <= 2 * 2.0


def test_softness_grows_with_an_enlarged_picture():
    sensor = replace(CLEAN, mosaic_share=1, enlarged_share=1)
    scenes = gray_field(0.3, 8, fluorescent=False)
    photos = photograph(scenes, rng(*range(8)), sensor, views=False)
    growth = photos.radius[:, :, :1, :1] / scenes.radius[:, :, :1, :1]
    assert growth.max() > 1.5
    torch.testing.assert_close(photos.softness, growth * DEMOSAICED)


def test_demosaicing_softness_matches_its_point_spread():
    spread, light = torch.zeros(3), torch.zeros(3)
    across = torch.arange(30.0)
    for row, column in product((14, 15), repeat=2):
        point = torch.zeros(1, 3, 30, 30)
        point[..., row, column] = 1
        response = demosaic(point, torch.tensor([0]))[0]
        spread += (response.sum(1) * (across - column) ** 2).sum(1)
        light += response.sum((1, 2))
    variance = (spread / light * torch.tensor([0.2126, 0.7152, 0.0722])).sum().item()
    assert pytest.approx(2 * variance**0.5) == DEMOSAICED


@pytest.mark.parametrize(("layout", "red"), [(0, (0, 0)), (1, (0, 1)), (2, (1, 0)), (3, (1, 1))])
def test_demosaicing_keeps_what_each_site_measured(layout, red):
    noise = torch.rand(1, 3, 16, 16)
    kept = demosaic(noise, torch.tensor([layout]))
    down, right = red
    blue, greens = (1 - down, 1 - right), [(down, 1 - right), (1 - down, right)]
    for color, places in {0: [red], 1: greens, 2: [blue]}.items():
        for row, column in places:
            site = (0, color, slice(row, None, 2), slice(column, None, 2))
            torch.testing.assert_close(kept[site], noise[site])
