"""Histogram of radii: counts, axis and painted bars."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from napari_defocus.viewer.controls.histogram import RadiusHistogram
from napari_defocus.viewer.maps.radius_counts import count_radii

radii = hnp.arrays(
    np.float32, hnp.array_shapes(min_dims=2, max_dims=3), elements=st.floats(-40, 40, width=32)
)


@given(radii)
def test_every_radius_is_counted_once(radius):
    assert count_radii(radius, signed=True).counts.sum() == radius.size
    assert count_radii(np.abs(radius), signed=False).counts.sum() == radius.size


def test_nan_radii_are_not_counted():
    assert count_radii(np.array([[np.nan, 1.0, 2.0]]), signed=False).counts.sum() == 2


def test_signed_axis_is_symmetric_about_zero():
    counts = count_radii(np.array([[-1.0, 6.0]]), signed=True)
    assert counts.centers[0] == pytest.approx(-counts.centers[-1])
    assert counts.limit == pytest.approx(6, abs=0.1)


def test_bars_tell_what_they_stand_for(qtbot):
    widget = RadiusHistogram()
    qtbot.addWidget(widget)
    widget.resize(240, 100)
    assert widget.describe(120) == ""
    widget.show_counts(count_radii(np.array([0.01, 0.01, 0.02, 8.0]), signed=False))
    assert widget.describe(widget.area.left() + 1) == "0.06 px: 75.0% of the pixels that are sure"
    assert widget.describe(widget.area.right() - 1).endswith(": 25.0% of the pixels that are sure")
    assert widget.describe(0) == ""


def test_unsigned_axis_starts_at_zero():
    counts = count_radii(np.array([[0.0, 6.0]]), signed=False)
    assert counts.centers[0] == pytest.approx(0.5 * counts.limit / 64)


def painted(qtbot, radius, signed):
    widget = RadiusHistogram()
    qtbot.addWidget(widget)
    widget.resize(240, 100)
    widget.show_counts(count_radii(radius, signed=signed))
    picture = widget.grab().toImage()
    return [[picture.pixelColor(x, y).getRgb()[:3] for x in range(240)] for y in range(100)]


def test_bars_are_painted_at_the_radii(qtbot):
    pixels = np.array(painted(qtbot, np.full((10, 10), 9.9), signed=False), dtype=int)
    background = pixels[2, 2]
    colored = np.abs(pixels[20:70] - background).sum(axis=(0, 2)) > 500
    assert not colored[10:200].any()
    assert colored[226:231].any()


def test_nothing_is_painted_before_there_is_a_map(qtbot):
    widget = RadiusHistogram()
    qtbot.addWidget(widget)
    assert widget.counts is None
    widget.grab()
    assert widget.isHidden()
