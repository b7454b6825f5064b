"""Radius at another focus distance and aperture."""

import numpy as np

from napari_defocus.optics.refocus import radius_after_refocus


def test_the_radius_is_zero_at_the_new_focus():
    radius = np.array([-3.0, 0.0, 5.0])
    assert radius_after_refocus(radius, focus=5.0, aperture=2.0).tolist() == [-16.0, -10.0, 0.0]


def test_a_closed_aperture_keeps_everything_sharp():
    radius = np.linspace(-6, 6, 48)
    assert not radius_after_refocus(radius, focus=2.0, aperture=0.0).any()
