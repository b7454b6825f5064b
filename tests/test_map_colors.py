"""Colors of defocus maps."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from napari_defocus.errors import MapError
from napari_defocus.map_colors import color_limit, paint_map, radius_colormap

_RADII = hnp.arrays(np.float32, (3, 5), elements=st.floats(-60, 60, width=32) | st.just(np.nan))

# Red-green blindness in linear light (Vienot, Brettel and Mollon, 1999): protan, deutan.
_DICHROMACIES = (
    [[0.11238, 0.88762, 0.0], [0.11238, 0.88762, 0.0], [0.00401, -0.00401, 1.0]],
    [[0.29275, 0.70725, 0.0], [0.29275, 0.70725, 0.0], [-0.02234, 0.02234, 1.0]],
)


def _linear_colors(*, signed):
    colors = radius_colormap(signed=signed).lut(256)[:, :3]
    return np.where(colors <= 0.04045, colors / 12.92, ((colors + 0.055) / 1.055) ** 2.4)


def _lightness(linear):
    return np.cbrt(linear @ [0.2126, 0.7152, 0.0722])


def test_sequential_lightness_rises_all_the_way():
    assert (np.diff(_lightness(_linear_colors(signed=False))) > 0).all()


def test_diverging_lightness_rises_away_from_zero_on_both_sides():
    lightness = _lightness(_linear_colors(signed=True))
    assert (np.diff(lightness[:129]) < 0).all()
    assert (np.diff(lightness[128:]) > 0).all()
    assert lightness[128] < 0.5 * min(lightness[0], lightness[-1])


@pytest.mark.parametrize("matrix", _DICHROMACIES, ids=["protan", "deutan"])
def test_signs_differ_in_color_for_red_green_blindness(matrix):
    linear = _linear_colors(signed=True) @ np.transpose(matrix)
    blue_share = linear[:, 2] / linear.sum(axis=1)
    assert (blue_share[:96] > blue_share[:-97:-1] + 0.05).all()


@given(_RADII, st.booleans())
def test_any_map_can_be_painted(radius, signed):
    painted = paint_map(radius, signed=signed)
    assert painted.shape == (3, 5, 3)
    assert painted.dtype == np.uint8
    assert (painted[np.isnan(radius)] == 128).all()


def test_sign_shows_in_signed_maps_only():
    plus, minus = np.full((1, 1), 5.0), np.full((1, 1), -5.0)
    assert (paint_map(plus, signed=True, limit=5) != paint_map(minus, signed=True, limit=5)).any()
    assert (paint_map(minus, limit=5) == paint_map(np.zeros((1, 1)), limit=5)).all()


def test_radii_beyond_the_limit_get_the_last_color():
    assert (paint_map(np.array([99.0]), limit=4) == paint_map(np.array([4.0]), limit=4)).all()


@pytest.mark.parametrize("limit", [0, -1, np.nan, np.inf])
def test_impossible_limit_is_an_error(limit):
    with pytest.raises(MapError, match="above 0"):
        paint_map(np.zeros((2, 2)), limit=limit)


def test_color_limit_ignores_single_outliers_and_nan():
    radius = np.full((100, 100), -6.0)
    radius[0, 0], radius[0, 1] = 500, np.nan
    assert color_limit(radius) == 6
    assert color_limit(np.full((2, 2), np.nan)) == 1
    assert color_limit(np.zeros((2, 2))) == 1
