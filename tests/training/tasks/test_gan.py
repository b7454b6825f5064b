"""DefocusGAN: its guidance, its loss terms, and when its adversary plays."""

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
from training.engine.task import TrainingProgress
from training.errors import TrainingError
from training.recipes import GanConfig
from training.run_config import read_options
from training.tasks.gan import GanOptions, GanTask, annealed, halving, reblur_loss

from .conftest import CROP, cameras, terms

PLAIN = GanOptions(width=8, discriminator_width=8)
PLAYING = replace(PLAIN, adversarial_weight=0.01)
PRESETS = Path(__file__).parents[3] / "training" / "presets"


@pytest.fixture
def make(pool_file, estimators):
    def make(options=PLAIN, features=None, file=pool_file, crop=CROP):
        torch.manual_seed(0)
        looks = cameras(file, views=False, crop=crop)
        return GanTask(options, *looks, estimators["single"], features)

    return make


@pytest.fixture(scope="module")
def large_file(renderer, tmp_path_factory):
    """Scenes as large as the published generator needs them."""
    path = tmp_path_factory.mktemp("large") / "scenes.npy"
    write_pool(path, renderer, count=2, seed=1, size=128)
    return path


def guides(task, samples=4, **how):
    """The maps (N, 2, H, W) that the generator is shown."""
    shown = []
    hook = task.generator.register_forward_pre_hook(lambda _, given: shown.append(given[0][:, 3:]))
    terms(task, "generator", samples=samples, **how)
    hook.remove()
    return shown[0]


def is_level(guide):
    return torch.equal(guide, guide[..., :1, :1].expand_as(guide))


def test_estimated_maps_err_in_places_and_do_not_say_so(make):
    options = replace(PLAIN, estimated_share=1.0, map_dropout=0.0, erring_share=0.0)
    right = guides(make(options))
    wrong = guides(make(replace(options, erring_share=1.0)))
    assert torch.equal(wrong[:, 1], right[:, 1])
    apart = (wrong - right)[:, 0]
    assert apart.abs().amax((1, 2)).min() > 0.3
    assert apart.amin() < 0 < apart.amax()
    assert wrong[:, 0].min() >= 0


def test_drawn_maps_are_always_right(make):
    options = replace(PLAIN, estimated_share=0.0, map_dropout=0.0, erring_share=0.0)
    erring = replace(options, erring_share=1.0)
    assert torch.equal(guides(make(options)), guides(make(erring)))


def test_the_critic_starts_when_told_and_steps_as_often(make):
    task = make(replace(PLAYING, discriminator_from=0.25, discriminator_steps=3))
    assert task.schedule(TrainingProgress(0, 0.2)) == ["generator"]
    assert task.schedule(TrainingProgress(0, 0.25)) == [*["discriminator"] * 3, "generator"]


def test_the_generator_heeds_the_critic_when_told(make):
    task = make(replace(PLAYING, adversary_from=0.5))
    assert "adversary" not in terms(task, "generator", spent=0.49)
    assert "adversary" in terms(task, "generator", spent=0.5)


def test_without_a_weight_there_is_no_adversary(make):
    task = make()
    assert set(task.networks) == {"generator"}
    assert task.schedule(TrainingProgress(9, 0.9)) == ["generator"]


@pytest.mark.parametrize("name", ["pixel", "fourier", "edge", "reblur"])
def test_a_weight_of_nothing_leaves_its_term_out(make, name):
    nothing = replace(PLAIN, pixel_weight=0.0, fourier_weight=0.0)
    alone = terms(make(replace(nothing, **{f"{name}_weight": 2.0})), "generator")
    assert set(alone) == {"total", name}
    assert alone["total"] == pytest.approx(2 * alone[name])


def test_the_perceptual_term_needs_its_network(make, lpips_folder):
    wanting = replace(PLAIN, perceptual_weight=0.1)
    with pytest.raises(TrainingError, match="give --features FILE"):
        make(wanting)
    assert terms(make(wanting, lpips_folder / "squeeze.safetensors"), "generator")["perceptual"] > 0


def test_both_players_learn_from_their_terms(make):
    task = make(replace(PLAYING, adversary_from=0.0, reblur_weight=0.1))
    rng, progress = SampleRNG.from_key(5, samples=range(2)), TrainingProgress(0, 0.5)
    for name, module in {"discriminator": task.discriminator, "generator": task.generator}.items():
        for player in task.networks.values():
            player.module.requires_grad_(player.module is module)
        task.losses(name, rng, progress)["total"].backward()
        assert all(p.grad.isfinite().all() for p in module.parameters())


def test_guides_are_estimated_or_painted(make, estimators):
    estimated = guides(make(replace(PLAIN, estimated_share=1.0, map_dropout=0.0)))
    painted = guides(make(replace(PLAIN, estimated_share=0.0, map_dropout=0.0)))
    assert estimated[:, 1].max() < 1
    assert torch.equal(painted[:, 1], torch.ones(4, CROP, CROP))
    assert not any(is_level(guide) for guide in estimated)


def test_dropped_maps_are_level(make):
    options = replace(PLAIN, estimated_share=1.0)
    kept = guides(make(replace(options, map_dropout=0.0)))
    leveled = guides(make(replace(options, map_dropout=1.0)))
    assert all(is_level(guide) for guide in leveled)
    assert torch.equal(leveled[..., 0, 0], kept.flatten(2).median(-1).values)
    some = guides(make(replace(options, map_dropout=0.5)), samples=16)
    assert 0 < sum(is_level(guide) for guide in some) < 16


def test_without_guidance_the_map_is_ignored(make):
    task = make(replace(PLAIN, guidance="none"))
    guide = guides(task)
    assert is_level(guide)
    assert is_level(guide[:, 0].flatten()[:, None, None])
    image = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        restored = task.restore(task.generator.eval(), image)
        task.estimator = None
        assert torch.equal(task.restore(task.generator, image), restored)


def test_radii_that_are_not_known_are_estimated(make, unlabeled_file):
    told = terms(make(replace(PLAYING, adversary_from=0.0), file=unlabeled_file), "generator")
    assert all(value == value for value in told.values())


def test_the_sharp_picture_blurred_again_is_the_blurred_one(pool_file):
    photos = cameras(pool_file, views=False)[0](SampleRNG.from_key(5, samples=range(4)))
    kernels = torch.stack([disk(float(r), 8) for r in range(8)])
    light = interpolated_reblur(decode_srgb(photos.sharp), photos.radius, kernels)
    photos = replace(photos, center=encode_srgb(light))
    assert reblur_loss(photos.sharp, photos) < 1.1e-3  # where charbonnier begins
    assert reblur_loss(photos.center, photos) > 2e-3
    beyond = replace(photos, radius=torch.full_like(photos.radius, 20.0))
    assert reblur_loss(photos.center, beyond) == pytest.approx(1e-3)


def test_the_published_guidance_fades_in_the_first_quarter():
    shares = [annealed(spent / 100) for spent in range(101)]
    assert shares[0] == 1
    assert shares == sorted(shares, reverse=True)
    assert annealed(0.125) == pytest.approx(0.367879, abs=1e-5)  # 10,000 of 80,000 steps
    assert annealed(0.25) < 0.02


def test_the_published_schedule_halves_three_times():
    epochs = [halving((epoch + 0.5) / 91) for epoch in (0, 29, 30, 59, 60, 89, 90)]
    assert epochs == [1, 1, 0.5, 0.5, 0.25, 0.25, 0.125]


def test_the_published_preset_trains_and_its_guidance_is_annealed(
    make, large_file, fabric, tmp_path
):
    preset = read_options(PRESETS / "paper.json", GanConfig).gan
    options = replace(preset, width=4, discriminator_width=4, perceptual_weight=0.0)
    task = make(options, file=large_file, crop=128)
    seen = []
    task.generator.register_forward_pre_hook(
        lambda network, _: seen.append(network.guidance) if network.training else None
    )
    assert fit(fabric, task, tmp_path, FitOptions(steps=4, batch=2), {})
    generator_steps = sorted(set(seen), reverse=True)
    assert generator_steps == [annealed(step / 4) for step in range(4)]
    state = torch.load(tmp_path / "checkpoint.pt", weights_only=True)["players"]
    assert state["generator"]["steps"] == 4
    assert state["discriminator"]["steps"] == 6
    left = load_network(find_model(tmp_path / "deblur.safetensors", "deblur"))
    assert left.guidance == 0


def test_the_generator_that_is_left_opens_with_the_plugin(make, fabric, tmp_path):
    task = make()
    assert fit(fabric, task, tmp_path, FitOptions(steps=1, batch=2), {})
    network = load_network(find_model(tmp_path / "deblur.safetensors", "deblur"))
    with torch.inference_mode():
        assert network(torch.rand(1, 5, 64, 64)).shape == (1, 3, 64, 64)
