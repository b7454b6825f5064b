"""Settings of deblurring: what is accepted, and what is kept of a wrong value."""

from dataclasses import FrozenInstanceError

import numpy as np
import pytest

from napari_defocus import DeblurSettings, OptionError


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"strength": 2.5}, "strength is 2.5; a number from 0 to 2"),
        ({"strength": "0"}, "strength is '0'"),
        ({"strength": True}, "strength is True"),
        ({"strength": np.nan}, "strength is nan"),
        ({"protect_radius": -1}, "protect_radius is -1; a number from 0 to 10000"),
        ({"protect_radius": 1e39}, "protect_radius is 1e\\+39"),
        ({"strength": 10**400}, "strength is 10000"),
        ({"protect_radius": np.inf}, "protect_radius is inf"),
        ({"detail": "invented"}, "detail is 'invented'; accepted are faithful, natural"),
        ({"detail": ["faithful"]}, "detail is .*faithful"),
    ],
)
def test_a_value_that_is_not_accepted_is_named(changes, message):
    with pytest.raises(OptionError, match=message):
        DeblurSettings(**changes)


def test_numbers_of_any_type_become_floats():
    settings = DeblurSettings(np.float32(0.5), np.int64(2))
    assert (settings.strength, settings.protect_radius) == (0.5, 2.0)
    assert {type(settings.strength), type(settings.protect_radius)} == {float}


def test_only_changes_are_named():
    assert DeblurSettings().changed() == {}
    assert DeblurSettings(detail="natural", model="a.pth").changed() == {
        "detail": "natural",
        "model": "a.pth",
    }


def test_settings_cannot_be_changed():
    with pytest.raises(FrozenInstanceError):
        DeblurSettings().strength = 0
