"""Statistics of maps over their sure pixels."""

import numpy as np
import pytest

from napari_defocus.map_statistics import map_statistics


def test_unsure_pixels_do_not_count():
    radius = np.array([1.0, 1.2, 9.0, 0.0, 50.0])
    statistics = map_statistics(radius, np.array([0.9, 0.25, 0.5, 0.2, 0.0]))
    assert statistics.median_radius == pytest.approx(1.2)
    assert statistics.sure == pytest.approx(0.6)
    assert statistics.in_focus == pytest.approx(2 / 3)


def test_the_softness_of_the_camera_counts_as_in_focus():
    radius = np.concatenate([np.full(50, 1.1), np.full(50, 6.0)])
    statistics = map_statistics(radius, np.ones(100))
    assert statistics.focus_radius == pytest.approx(1.6)
    assert statistics.in_focus == 0.5


def test_where_even_the_sharpest_pixels_are_blurred_nothing_is_in_focus():
    assert map_statistics(np.full((4, 4), 5.0), np.ones((4, 4))).in_focus == 0


def test_signs_are_dropped():
    assert map_statistics(np.array([-4.0, 4.0, -4.0]), np.ones(3)).median_radius == 4


def test_nothing_is_said_where_no_pixel_is_sure():
    statistics = map_statistics(np.ones((4, 4)), np.zeros((4, 4)))
    assert statistics.sure == 0
    assert np.isnan([statistics.median_radius, statistics.focus_radius, statistics.in_focus]).all()
