"""Training of the deblurring network: guidance, losses, and schedule of the discriminator."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from napari_defocus.models import find_model, load_network
from napari_defocus.optics.kernels import disk
from napari_defocus.optics.light import decode_srgb, encode_srgb
from napari_defocus.optics.reblur import interpolated_reblur
from training.data.pool import write_pool
from training.data.rng import SampleRNG
from training.engine.fit import FitOptions, fit
from training.engine.training import TrainingProgress
from training.errors import TrainingError
from training.recipes import GanConfig
from training.run_config import read_options
from training.trainings.gan import (
    GanOptions,
    GanTraining,
    guidance_strength,
    halve_thrice,
    reblur_loss,
)

from .conftest import CROP, losses, samplers

PLAIN = GanOptions(width=8, discriminator_width=8)
ADVERSARIAL = replace(PLAIN, adversarial_weight=0.01)
PRESETS = Path(__file__).parents[3] / "training" / "presets"


@pytest.fixture
def make(pool_file, estimators):
    def make(options=PLAIN, features=None, file=pool_file, crop=CROP):
        torch.manual_seed(0)
        return GanTraining(
            options, *samplers(file, views=False, crop=crop), estimators["single"], features
        )

    return make


@pytest.fixture(scope="module")
def large_file(renderer, tmp_path_factory):
    """Pool of scenes that are large enough for the published generator."""
    path = tmp_path_factory.mktemp("large") / "scenes.npy"
    write_pool(path, renderer, count=2, seed=1, size=128)
    return path


def guides(training, samples=4):
    """Return the maps (N, 2, H, W) that the generator sees."""
    maps = []
    hook = training.generator.register_forward_pre_hook(
        lambda _, inputs: maps.append(inputs[0][:, 3:])
    )
    losses(training, "generator", samples=samples)
    hook.remove()
    return maps[0]


def is_constant(guide):
    return torch.equal(guide, guide[..., :1, :1].expand_as(guide))


def test_errors_of_estimated_maps_leave_the_confidence_unchanged(make):
    options = replace(PLAIN, estimated_share=1.0, map_dropout=0.0, erring_share=0.0)
    plain = guides(make(options))
    changed = guides(make(replace(options, erring_share=1.0)))
    assert torch.equal(changed[:, 1], plain[:, 1])
    errors = (changed - plain)[:, 0]
    assert errors.abs().amax((1, 2)).min() > 0.3
    assert errors.amin() < 0 < errors.amax()
    assert changed[:, 0].min() >= 0


def test_true_maps_get_no_errors(make):
    options = replace(PLAIN, estimated_share=0.0, map_dropout=0.0, erring_share=0.0)
    erring = replace(options, erring_share=1.0)
    assert torch.equal(guides(make(options)), guides(make(erring)))


def test_the_schedule_of_the_discriminator_follows_its_options(make):
    training = make(replace(ADVERSARIAL, discriminator_from=0.25, discriminator_steps=3))
    assert training.schedule(TrainingProgress(0, 0.2)) == ["generator"]
    assert training.schedule(TrainingProgress(0, 0.25)) == [*["discriminator"] * 3, "generator"]


def test_the_adversarial_loss_starts_at_its_share_of_the_budget(make):
    training = make(replace(ADVERSARIAL, adversarial_from=0.5))
    assert "adversarial" not in losses(training, "generator", spent=0.49)
    assert "adversarial" in losses(training, "generator", spent=0.5)


def test_without_an_adversarial_weight_there_is_no_discriminator(make):
    training = make()
    assert set(training.networks) == {"generator"}
    assert training.schedule(TrainingProgress(9, 0.9)) == ["generator"]


@pytest.mark.parametrize("name", ["pixel", "fourier", "edge", "reblur"])
def test_losses_of_weight_zero_are_left_out(make, name):
    zero = replace(PLAIN, pixel_weight=0.0, fourier_weight=0.0)
    alone = losses(make(replace(zero, **{f"{name}_weight": 2.0})), "generator")
    assert set(alone) == {"total", name}
    assert alone["total"] == pytest.approx(2 * alone[name])


def test_the_perceptual_loss_needs_its_network(make, lpips_folder):
    options = replace(PLAIN, perceptual_weight=0.1)
    with pytest.raises(TrainingError, match="give --features FILE"):
        make(options)
    training = make(options, lpips_folder / "squeeze.safetensors")
    assert losses(training, "generator")["perceptual"] > 0


def test_both_networks_have_gradients_of_their_losses(make):
    training = make(replace(ADVERSARIAL, adversarial_from=0.0, reblur_weight=0.1))
    rng, progress = SampleRNG.from_key(5, samples=range(2)), TrainingProgress(0, 0.5)
    for name, module in {
        "discriminator": training.discriminator,
        "generator": training.generator,
    }.items():
        for network in training.networks.values():
            network.module.requires_grad_(network.module is module)
        training.losses(name, rng, progress)["total"].backward()
        assert all(p.grad.isfinite().all() for p in module.parameters())


def test_guides_are_estimated_or_roughly_true(make, estimators):
    estimated = guides(make(replace(PLAIN, estimated_share=1.0, map_dropout=0.0)))
    rough = guides(make(replace(PLAIN, estimated_share=0.0, map_dropout=0.0)))
    assert estimated[:, 1].max() < 1
    assert torch.equal(rough[:, 1], torch.ones(4, CROP, CROP))
    assert not any(is_constant(guide) for guide in estimated)


def test_dropped_maps_are_constant(make):
    options = replace(PLAIN, estimated_share=1.0)
    kept = guides(make(replace(options, map_dropout=0.0)))
    dropped = guides(make(replace(options, map_dropout=1.0)))
    assert all(is_constant(guide) for guide in dropped)
    assert torch.equal(dropped[..., 0, 0], kept.flatten(2).median(-1).values)
    some = guides(make(replace(options, map_dropout=0.5)), samples=16)
    assert 0 < sum(is_constant(guide) for guide in some) < 16


def test_without_guidance_the_map_is_ignored(make):
    training = make(replace(PLAIN, guidance="none"))
    guide = guides(training)
    assert is_constant(guide)
    assert is_constant(guide[:, 0].flatten()[:, None, None])
    image = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        restored = training.restore(training.generator.eval(), image)
        training.estimator = None
        assert torch.equal(training.restore(training.generator, image), restored)


def test_missing_radii_are_estimated(make, unlabeled_file):
    training = make(replace(ADVERSARIAL, adversarial_from=0.0), file=unlabeled_file)
    values = losses(training, "generator")
    assert all(value == value for value in values.values())


def test_the_reblurring_loss_vanishes_for_the_sharp_picture(pool_file):
    photos = samplers(pool_file, views=False)[0](SampleRNG.from_key(5, samples=range(4)))
    kernels = torch.stack([disk(float(r), 8) for r in range(8)])
    light = interpolated_reblur(decode_srgb(photos.sharp), photos.radius, kernels)
    photos = replace(photos, center=encode_srgb(light))
    assert reblur_loss(photos.sharp, photos) < 1.1e-3  # where charbonnier begins
    assert reblur_loss(photos.center, photos) > 2e-3
    beyond = replace(photos, radius=torch.full_like(photos.radius, 20.0))
    assert reblur_loss(photos.center, beyond) == pytest.approx(1e-3)


def test_the_published_guidance_fades_in_the_first_quarter():
    shares = [guidance_strength(spent / 100) for spent in range(101)]
    assert shares[0] == 1
    assert shares == sorted(shares, reverse=True)
    assert guidance_strength(0.125) == pytest.approx(0.367879, abs=1e-5)  # 10,000 of 80,000 steps
    assert guidance_strength(0.25) < 0.02


def test_the_published_schedule_halves_three_times():
    epochs = [halve_thrice((epoch + 0.5) / 91) for epoch in (0, 29, 30, 59, 60, 89, 90)]
    assert epochs == [1, 1, 0.5, 0.5, 0.25, 0.25, 0.125]


def test_the_published_preset_trains_and_its_guidance_fades(make, large_file, fabric, tmp_path):
    preset = read_options(PRESETS / "paper.json", GanConfig).gan
    options = replace(preset, width=4, discriminator_width=4, perceptual_weight=0.0)
    training = make(options, file=large_file, crop=128)
    strengths = []
    training.generator.register_forward_pre_hook(
        lambda network, _: strengths.append(network.guidance) if network.training else None
    )
    assert fit(fabric, training, tmp_path, FitOptions(steps=4, batch=1), {})
    expected = [guidance_strength(step / 4) for step in range(4)]
    assert sorted(set(strengths), reverse=True) == expected
    state = torch.load(tmp_path / "checkpoint.pt", weights_only=True)["players"]
    assert state["generator"]["steps"] == 4
    assert state["discriminator"]["steps"] == 6
    exported = load_network(find_model(tmp_path / "deblur.safetensors", "deblur"))
    assert exported.guidance == 0


def test_the_unrolled_preset_learns(make):
    preset = read_options(PRESETS / "unrolled.json", GanConfig).gan
    training = make(replace(preset, width=8))
    optimizer = torch.optim.Adam(training.generator.parameters(), 3e-3)
    before = losses(training, "generator")
    for _ in range(12):
        optimizer.zero_grad()
        rng = SampleRNG.from_key(5, samples=range(2))
        training.losses("generator", rng, TrainingProgress(3, 0.5))["total"].backward()
        optimizer.step()
    after = losses(training, "generator")
    assert all(after[name] < before[name] for name in ("total", "reversal", "pixel", "decibel"))


def test_the_exported_generator_opens_in_the_plugin(make, fabric, tmp_path):
    training = make()
    assert fit(fabric, training, tmp_path, FitOptions(steps=1, batch=2), {})
    network = load_network(find_model(tmp_path / "deblur.safetensors", "deblur"))
    with torch.inference_mode():
        assert network(torch.rand(1, 5, 64, 64)).shape == (1, 3, 64, 64)
