"""Variants differ in what they leave out, and are told with their spread."""

from dataclasses import asdict
from pathlib import Path

import pytest

from napari_defocus.networks import ARCHITECTURES
from training.ablation import VARIANTS, spread, variant_config
from training.engine.fit import FitOptions
from training.recipes import DataOptions


@pytest.mark.parametrize("method", VARIANTS)
def test_crops_fit_the_network_and_all_see_about_as_many_pixels(method):
    fit, data = FitOptions(batch=4), DataOptions(crop=96)
    config = variant_config(fit, data, VARIANTS[method], 3, "single", Path("lpips"))
    multiple = ARCHITECTURES[config.gan.architecture].descriptor.multiple
    assert config.data.crop % multiple == 0
    assert config.fit.batch * config.data.crop**2 == pytest.approx(4 * 96**2, rel=0.15)
    assert config.fit.seed == 3


def test_each_variant_of_ours_differs_in_what_it_is_named_for():
    ours = asdict(VARIANTS["ours"])
    changed = {
        method: {key for key, value in asdict(gan).items() if value != ours[key]}
        for method, gan in VARIANTS.items()
        if gan.architecture == "generator"
    }
    assert changed == {
        "ours": set(),
        "ours, map not seen": {"guidance"},
        "ours, no adversary": {"adversarial_weight"},
        "ours, adversary not weighted by defocus": {
            "defocus_weight",
            "defocus_weight_generator",
        },
    }


def test_seeds_are_told_as_mean_and_half_their_distance():
    rows = [
        {"method": "a", "seed": 0, "steps": 10, "rendered PSNR": 26.0},
        {"method": "a", "seed": 1, "steps": 12, "rendered PSNR": 26.5},
    ]
    [row] = spread(rows)
    assert row == {"method": "a", "seeds": 2, "steps": "11 ± 1", "rendered PSNR": "26.25 ± 0.25"}
