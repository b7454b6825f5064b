"""Ablation: variants of the deblurring training, and the table of their scores."""

from dataclasses import asdict
from pathlib import Path

import pytest

from napari_defocus.networks import ARCHITECTURES
from training.ablation import VARIANTS, summarize_seeds, variant_config
from training.engine.fit import FitOptions
from training.recipes import DataOptions


@pytest.mark.parametrize("method", VARIANTS)
def test_crops_suit_the_network_and_the_number_of_pixels_is_about_the_same(method):
    fit, data = FitOptions(batch=4), DataOptions(crop=96)
    config = variant_config(fit, data, VARIANTS[method], 3, "single", Path("lpips"))
    multiple = ARCHITECTURES[config.gan.architecture].descriptor.multiple
    assert config.data.crop % multiple == 0
    assert config.fit.batch * config.data.crop**2 == pytest.approx(4 * 96**2, rel=0.15)
    assert config.fit.seed == 3


def test_each_variant_changes_only_the_options_in_its_name():
    ours = asdict(VARIANTS["ours"])
    changed = {
        method: {key for key, value in asdict(gan).items() if value != ours[key]}
        for method, gan in VARIANTS.items()
        if gan.architecture == "generator"
    }
    assert changed == {
        "ours": set(),
        "ours, map not seen": {"guidance"},
        "ours, no adversarial loss": {"adversarial_weight"},
        "ours, adversarial loss not weighted by defocus": {
            "defocus_weight",
            "defocus_weight_generator",
        },
    }


def test_seeds_are_summarized_by_their_mean_and_half_their_range():
    rows = [
        {"method": "a", "seed": 0, "steps": 10, "rendered PSNR": 26.0},
        {"method": "a", "seed": 1, "steps": 12, "rendered PSNR": 26.5},
    ]
    [row] = summarize_seeds(rows)
    assert row == {"method": "a", "seeds": 2, "steps": "11 ± 1", "rendered PSNR": "26.25 ± 0.25"}
