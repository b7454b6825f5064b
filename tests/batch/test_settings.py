"""What is done to every file, and what its results are called."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from napari_defocus.batch.how import How
from napari_defocus.batch.settings import Settings
from napari_defocus.errors import ModelError, OptionError


def test_names_follow_the_pattern_and_hold_what_they_must():
    both = Settings(task="both", pattern="{what} of {name}{suffix}")
    assert both.names(Path("x/a b.JPG")) == {
        "radius": "defocus of a b.tif",
        "confidence": "confidence of a b.tif",
        "sharp": "deblurred of a b.JPG",
    }


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"task": "blur"}, "task is 'blur'; accepted are map, deblur, both"),
        ({"existing": "ask"}, "existing is 'ask'; accepted are refuse, keep, replace"),
        ({"pattern": "{name}"}, "should hold {name} and {what}"),
        ({"pattern": "{name}-{what}-{date}"}, "may hold {name}, {what} and {suffix}"),
        ({"pattern": "{name"}, "may hold {name}, {what} and {suffix}"),
        ({"pattern": "../{name}{what}"}, "and no folder"),
        ({"dual_pixel": "no"}, "dual_pixel is 'no'; True or False is expected"),
        ({"dual_pixel": True, "map_model": "single"}, "map_model is 'single' and dual_pixel is on"),
    ],
)
def test_what_cannot_be_is_an_error(given, words):
    with pytest.raises(OptionError) as error:
        Settings(**given)
    assert words in str(error.value)


def test_they_survive_json():
    how = How(value_range=(0.0, 2.0), tile="128")
    settings = Settings(task="both", dual_pixel=True, how=how)
    assert Settings.from_json(json.loads(json.dumps(settings.as_json()))) == settings


def test_fingerprint_changes_with_what_shapes_results_and_with_nothing_else():
    settings = Settings()
    assert replace(settings, existing="keep", pattern="{what}{name}").fingerprint() == (
        settings.fingerprint()
    )
    for changed in (
        {"strength": 0.5},
        {"task": "map"},
        {"dual_pixel": True},
        {"how": How(encoding="linear")},
    ):
        assert replace(settings, **changed).fingerprint() != settings.fingerprint()


def test_a_model_for_two_views_takes_part_where_they_are_looked_for():
    asked = Settings(task="map", dual_pixel=True)
    assert "dual-pixel" in [card.name for card in asked.possible_cards()]
    assert [card.name for card in asked.cards("photo", "dual")] == ["dual-pixel", "single"]
    assert "dual-pixel" not in [card.name for card in Settings(task="map").possible_cards()]


def test_unknown_models_are_refused():
    with pytest.raises(ModelError, match="no model 'nonsense'"):
        Settings(model="nonsense").possible_cards()
