"""Handles on the histogram: mouse, keys, and what they set."""

import numpy as np
import pytest
from qtpy.QtCore import QPoint, Qt

from napari_defocus.viewer.deblurring.range_histogram import NO_MAP, OTHER_MAP, RangeHistogram
from napari_defocus.viewer.maps.radius_counts import count_radii


@pytest.fixture
def histogram(qtbot):
    widget = RangeHistogram()
    qtbot.addWidget(widget)
    widget.resize(240, 100)
    widget.show_counts(count_radii(np.linspace(0, 10, 500).reshape(20, 25), signed=False))
    widget.show_range(1.0, 0.0)
    widget.show()
    return widget


def drag(qtbot, widget, start, end):
    places = [QPoint(round(widget.to_x(radius, widget.counts)), 50) for radius in (start, end)]
    qtbot.mousePress(widget, Qt.MouseButton.LeftButton, pos=places[0])
    qtbot.mouseMove(widget, places[1])
    qtbot.mouseRelease(widget, Qt.MouseButton.LeftButton, pos=places[1])


def test_handles_are_dragged(qtbot, histogram):
    values = []
    histogram.lower_changed.connect(lambda radius: values.append(("lower", radius)))
    histogram.upper_changed.connect(lambda radius: values.append(("upper", radius)))
    drag(qtbot, histogram, 1, 3)
    drag(qtbot, histogram, histogram.counts.limit, 7)
    names, radii = zip(*values, strict=True)
    assert names == ("lower", "upper")
    assert radii == pytest.approx((3, 7), abs=0.1)


def test_the_upper_handle_at_the_end_limits_nothing(qtbot, histogram):
    histogram.show_range(1.0, 6.0)
    drag(qtbot, histogram, 6, 12)
    assert histogram.range == (1.0, 0.0)


def test_handles_do_not_pass_each_other(qtbot, histogram):
    histogram.show_range(2.0, 6.0)
    drag(qtbot, histogram, 2, 9)
    assert histogram.range == (6.0, 6.0)


def test_a_press_between_the_handles_moves_none(qtbot, histogram):
    histogram.show_range(1.0, 9.0)
    drag(qtbot, histogram, 5, 7)
    assert histogram.range == (1.0, 9.0)


def test_numbers_stand_below_the_handles_the_one_moved_last_first(qtbot, histogram):
    histogram.show_range(2.0, 6.0)
    texts = [text for _, text in histogram.numbers(histogram.counts)]
    assert texts[:2] == ["2 px", "6 px"]
    drag(qtbot, histogram, 6, 4)
    assert histogram.numbers(histogram.counts)[0] == (histogram.range[1], "4 px")


def test_arrow_keys_move_a_handle(qtbot, histogram):
    qtbot.keyClick(histogram, Qt.Key.Key_Right)
    assert histogram.range[0] == pytest.approx(1.1)
    drag(qtbot, histogram, histogram.counts.limit, 7)
    qtbot.keyClick(histogram, Qt.Key.Key_Left)
    assert histogram.range[1] == pytest.approx(6.9, abs=0.1)


def test_without_an_estimated_map_a_hint_stands_in_place_of_the_bars(histogram):
    histogram.clear(OTHER_MAP)
    assert histogram.counts is None
    bare = histogram.grab().toImage()
    histogram.clear(NO_MAP)
    assert histogram.grab().toImage() != bare
