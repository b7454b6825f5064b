import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from napari_defocus.colors import (
    diverging_colors,
    largest_radius,
    paint_map,
    paint_unit,
    sequential_colors,
)
from napari_defocus.errors import MapError

_RADII = hnp.arrays(np.float32, (3, 5), elements=st.floats(-60, 60, width=32) | st.just(np.nan))


def _lightness(colors):
    linear = np.where(colors <= 0.04045, colors / 12.92, ((colors + 0.055) / 1.055) ** 2.4)
    return np.cbrt(linear @ [0.2126, 0.7152, 0.0722])


def test_sequential_lightness_rises_all_the_way():
    assert (np.diff(_lightness(sequential_colors())) > 0).all()


def test_diverging_lightness_rises_away_from_zero_on_both_sides():
    lightness = _lightness(diverging_colors())
    assert (np.diff(lightness[:128]) < 0).all()
    assert (np.diff(lightness[128:]) > 0).all()


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


def test_largest_radius_shrugs_off_single_outliers_and_nan():
    radius = np.full((100, 100), -6.0)
    radius[0, 0], radius[0, 1] = 500, np.nan
    assert largest_radius(radius) == 6
    assert largest_radius(np.full((2, 2), np.nan)) == 1
    assert largest_radius(np.zeros((2, 2))) == 1


def test_unit_values_become_gray_between_black_and_white():
    gray = paint_unit(np.array([-1.0, 0.0, 0.5, 2.0, np.nan]))
    assert gray[:, 0].tolist() == [0, 0, 128, 255, 0]
    assert (gray == gray[:, :1]).all()


def test_tables_are_copies():
    sequential_colors()[:] = 0
    assert sequential_colors().max() > 0
