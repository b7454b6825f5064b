"""Settings of a batch: checks, names of results, JSON, fingerprint."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from napari_defocus import Options
from napari_defocus.batch.plan import Plan
from napari_defocus.batch.settings import Settings
from napari_defocus.deblur_settings import DeblurSettings
from napari_defocus.errors import ModelError, OptionError


def test_names_of_results_follow_the_pattern():
    both = Settings(task="both", pattern="{what} of {name}{suffix}")
    assert both.result_names(Path("x/a b.JPG")) == {
        "radius": "defocus of a b.tif",
        "confidence": "confidence of a b.tif",
        "sharp": "deblurred of a b.JPG",
    }


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"task": "blur"}, "task is 'blur'; accepted are map, deblur, both"),
        ({"existing": "ask"}, "existing is 'ask'; accepted are refuse, keep, replace"),
        ({"pattern": "{name}"}, "should hold {name} and {what}"),
        ({"pattern": "{name}-{what}-{date}"}, "may hold {name}, {what} and {suffix}"),
        ({"pattern": "{name:>1000000000}-{what}"}, "may hold {name}, {what} and {suffix}"),
        ({"pattern": "{name!r}-{what}"}, "may hold {name}, {what} and {suffix}"),
        ({"pattern": "{name"}, "may hold {name}, {what} and {suffix}"),
        ({"pattern": "../{name}{what}"}, "and no folder"),
        ({"dual_pixel": "no"}, "dual_pixel is 'no'; True or False is expected"),
        ({"check": 1}, "check is 1; True or False is expected"),
        ({"check": True, "task": "map"}, "the task 'map' makes no picture to check"),
        ({"stack_axis": 0}, "stack_axis is 0; the letter of an axis such as 'Z'"),
        ({"stack_axis": "Z", "task": "map"}, "the task 'map' restores no plane"),
        (
            {"dual_pixel": True, "deblurring": DeblurSettings(map_model="single")},
            "map_model is 'single' and dual_pixel is on",
        ),
    ],
)
def test_impossible_settings_are_an_error(changes, words):
    with pytest.raises(OptionError) as error:
        Settings(**changes)
    assert words in str(error.value)


@pytest.mark.parametrize(
    "value_range", [None, (0.0, 2.0), ((0.0, 2.0), (1.0, 4095.0)), np.float32([[0, 2], [1, 4095]])]
)
def test_settings_survive_json(value_range):
    options = Options(value_range=value_range, tile=128)
    settings = Settings(task="both", dual_pixel=True, check=True, stack_axis="Z", options=options)
    again = Settings.from_json(json.loads(json.dumps(settings.as_json())))
    assert again == settings
    assert again.fingerprint() == settings.fingerprint()


def test_fingerprint_changes_only_with_settings_that_change_results():
    settings = Settings()
    assert replace(settings, existing="keep", pattern="{what}{name}").fingerprint() == (
        settings.fingerprint()
    )
    for changed in (
        {"deblurring": DeblurSettings(strength=0.5)},
        {"task": "map"},
        {"dual_pixel": True},
        {"check": True},
        {"stack_axis": "auto"},
        {"options": Options(encoding="linear")},
    ):
        assert replace(settings, **changed).fingerprint() != settings.fingerprint()


def test_the_model_for_two_views_may_take_part_with_dual_pixel():
    settings = Settings(task="map", dual_pixel=True)
    assert "dual-pixel" in [card.name for card in settings.possible_models()]
    assert "dual-pixel" not in [card.name for card in Settings(task="map").possible_models()]


def test_unknown_models_are_refused():
    with pytest.raises(ModelError, match="no model 'nonsense'"):
        Settings(deblurring=DeblurSettings(model="nonsense")).possible_models()


EARLIER = {
    "task": "both",
    "strength": 0.5,
    "protect": 1.0,
    "detail": "faithful",
    "model": "auto",
    "map_model": "auto",
    "dual_pixel": False,
    "how": {
        "channel_axis": "none",
        "encoding": "auto",
        "value_range": [0.0, 2.0],
        "scale": "2",
        "device": "cpu",
        "precision": "auto",
        "tile": "whole",
    },
    "pattern": "{name}-{what}{suffix}",
    "existing": "keep",
}


def test_settings_of_an_earlier_version_are_read():
    options = Options(
        channel_axis="none", value_range=(0.0, 2.0), downscale=2, device="cpu", tile=None
    )
    assert Settings.from_json(EARLIER) == Settings(
        task="both",
        deblurring=DeblurSettings(strength=0.5, protect_radius=1.0),
        existing="keep",
        options=options,
    )


def test_a_plan_of_an_earlier_version_is_read(tmp_path):
    item = {"source": "/scans/a.png", "results": {"sharp": "/out/a-deblurred.png"}}
    text = json.dumps({"settings": EARLIER, "items": [item]})
    (tmp_path / "napari-defocus-batch.json").write_text(text, encoding="utf-8")
    plan = Plan.read(tmp_path)
    assert plan.settings.deblurring.protect_radius == 1.0
    assert plan.items[0].results["sharp"].name == "a-deblurred.png"
