"""Surfaces that a click on a map takes."""

import numpy as np

from napari_defocus.viewer.maps.surface import find_surface

RADIUS = np.full((40, 60), 3, np.float32)


def test_a_surface_ends_where_the_radius_changes():
    radius = RADIUS.copy()
    radius[:, 30:] = 6
    surface = find_surface(radius, None, (5, 5))
    assert surface[:, :30].all()
    assert not surface[:, 30:].any()


def test_a_surface_ends_where_the_color_changes():
    colors = np.zeros((40, 60, 3), np.float32)
    colors[:, 30:, 2] = 1
    surface = find_surface(RADIUS, colors, (5, 5))
    assert surface[:, :28].all()
    assert not surface[:, 32:].any()


def test_a_surface_has_no_holes():
    radius = RADIUS.copy()
    radius[10:14, 10:14] = 9
    assert find_surface(radius, None, (5, 5)).all()


def test_what_is_not_connected_is_another_surface():
    radius = RADIUS.copy()
    radius[:, 30] = 9
    assert not find_surface(radius, None, (5, 5))[:, 31:].any()
