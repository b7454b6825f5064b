"""Objectives: spot in focus, radius by depth, and the words that describe them."""

import math
from dataclasses import asdict

import pytest

from napari_defocus import Objective, OptionError, Options
from napari_defocus.objective import parse_optics

LENS = Objective(na=0.75, wavelength_um=0.52, pixel_size_um=0.325)


def test_the_spot_is_that_of_airy():
    assert LENS.spot_um == pytest.approx(0.51 * 0.52 / 0.75, rel=0.02)
    assert LENS.spot_px == pytest.approx(LENS.spot_um / 0.325)


def test_far_from_focus_blur_grows_as_the_cone_of_rays():
    lens = Objective(0.1, 0.5, 1.0)
    tangent = math.tan(math.asin(0.1))
    assert lens.radius(400.0) - lens.radius(300.0) == pytest.approx(100 * tangent, rel=0.1)
    assert lens.radius(300.0) < 300 * tangent


def test_within_the_depth_of_field_nothing_blurs():
    depth_of_field = LENS.wavelength_um / LENS.na**2
    assert LENS.radius(0.0) == 0
    assert LENS.radius(depth_of_field / 8) < 0.2 * LENS.spot_px


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
    assert Options.from_text(options.to_text()) == options == Options(optics=asdict(LENS))


def test_incomplete_text_waits_for_a_file():
    assert Options(optics="wavelength_um=0.5").optics == "wavelength_um=0.5"


@pytest.mark.parametrize("text", ["aperture=1", "na", "na=x", "na=-1", "", 3, None])
def test_unknown_text_is_refused(text):
    with pytest.raises(OptionError):
        Options(optics=text)


def test_numbers_of_a_text_are_by_name():
    assert parse_optics("na=1.4, index=1.5") == {"na": 1.4, "index": 1.5}
