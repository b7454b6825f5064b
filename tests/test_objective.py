"""Objectives: spot in focus, radius by depth, and the words that describe them."""

import math

import pytest

from napari_defocus import Objective, OptionError, Options
from napari_defocus.objective import parse_optics

LENS = Objective(na=0.75, wavelength_um=0.52, pixel_size_um=0.325)


def test_the_spot_is_that_of_airy():
    assert LENS.spot_um == pytest.approx(0.51 * 0.52 / 0.75, rel=0.02)
    assert LENS.spot_px == pytest.approx(LENS.spot_um / 0.325)


def test_small_cones_widen_by_the_tangent():
    lens = Objective(0.1, 0.5, 1.0)
    assert lens.radius(10.0) == pytest.approx(10 * math.tan(math.asin(0.1)), rel=0.01)


def test_depth_and_radius_are_inverse():
    assert LENS.radius(LENS.depth_um(5.0)) == pytest.approx(5.0)
    assert LENS.radius(-2.0) == LENS.radius(2.0) > 0


@pytest.mark.parametrize(
    "values",
    [
        (0, 0.5, 0.1), (1.4, 0.5, 0.1), (0.5, math.nan, 0.1), (0.5, 0.5, -1), (0.5, True, 0.1),
        ("1", 0.5, 0.1), (1.4, 0.5, 0.1, 1.33),
    ],
)  # fmt: skip
def test_impossible_optics_are_refused(values):
    with pytest.raises(OptionError):
        Objective(*values)


def test_text_and_options_give_the_same_objective():
    options = Options(optics=LENS.to_text())
    assert options.optics == LENS
    assert Options.from_text(options.to_text()) == options == Options(optics=vars(LENS))


def test_incomplete_text_waits_for_a_file():
    assert Options(optics="wavelength_um=0.5").optics == "wavelength_um=0.5"


@pytest.mark.parametrize("text", ["aperture=1", "na", "na=x", "na=-1", "", 3, None])
def test_unknown_text_is_refused(text):
    with pytest.raises(OptionError):
        Options(optics=text)


def test_numbers_of_a_text_are_by_name():
    assert parse_optics("na=1.4, index=1.5") == {"na": 1.4, "index": 1.5}
