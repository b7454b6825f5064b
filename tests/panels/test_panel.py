"""Panels: order, details, color bars, and pictures of any data type."""

import numpy as np
import pytest
from PIL import Image

from napari_defocus import DefocusMap
from napari_defocus.errors import ImageError
from panels import (
    Column,
    busiest_square,
    compose,
    compose_result,
    paint_unit,
    save_panel,
    to_picture,
)


def _picture(value, shape=(30, 60)):
    return np.full((*shape, 3), value, np.uint8)


def _map(radius, confidence=1.0):
    return DefocusMap(radius, np.broadcast_to(confidence, radius.shape))


def test_every_picture_is_there_in_its_order():
    panel = compose([Column("a", _picture(40)), Column("b", _picture(90))], width=60)
    middle = panel[45, :, 0].tolist()
    assert middle.index(40) < middle.index(90)
    assert middle.count(40) == middle.count(90) == 60


def test_detail_is_enlarged_below():
    picture = _picture(10)
    picture[10:20, 30:40] = 200
    plain = compose([Column("a", picture)], width=120)
    panel = compose([Column("a", picture)], detail=(10, 30, 10), width=120)
    assert panel.shape[0] > plain.shape[0] + 120
    assert (panel[-70:-30, 40:100] == 200).all()


def test_bar_is_drawn_for_maps_only():
    gray = compose([Column("a", _picture(128))])
    bar = compose([Column("a", _picture(128), limit=8)])
    signed = compose([Column("a", _picture(128), limit=8, signed=True)])
    assert gray.shape == bar.shape == signed.shape
    assert not np.array_equal(gray, bar)
    assert not np.array_equal(bar, signed)


def test_pictures_of_unequal_size_are_an_error():
    with pytest.raises(ImageError, match=r"\(30, 60, 3\), \(31, 60, 3\)"):
        compose([Column("a", _picture(1)), Column("b", _picture(1, (31, 60)))])


def test_no_picture_is_an_error():
    with pytest.raises(ImageError):
        compose([])


def test_saved_panel_enlarges_what_differs_most(tmp_path):
    before, after = _picture(10, (64, 96)), _picture(10, (64, 96))
    after[40:56, 64:80] = 200
    path = tmp_path / "folder" / "panel.png"
    save_panel(path, [Column("before", before), Column("after", after)], compared=(0, 1), width=96)
    saved = np.asarray(Image.open(path))
    assert (saved[-60:-30, -60:-30] == 200).all()


def test_busiest_square_shrinks_to_small_pictures():
    assert busiest_square(_picture(0), _picture(9), 400) == (0, 0, 30)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, np.float64])
@pytest.mark.parametrize("channels", [(), (1,), (3,), (4,)])
def test_any_image_becomes_a_picture(dtype, channels):
    top = 1 if np.issubdtype(dtype, np.floating) else np.iinfo(dtype).max
    picture = to_picture(np.full((5, 7, *channels), top, dtype))
    assert picture.dtype == np.uint8
    assert picture.shape == (5, 7, 3)
    assert (picture == 255).all()


def test_floats_outside_the_range_and_nan_can_be_shown():
    picture = to_picture(np.array([[[-1.0, 2.0, np.nan]]]))
    assert picture.tolist() == [[[0, 255, 0]]]


def test_result_has_a_column_more_with_a_reference():
    image, defocus = _picture(5), _map(np.ones((30, 60)))
    without = compose_result(image, defocus, image, width=60)
    with_reference = compose_result(image, defocus, image, image, width=60)
    assert with_reference.shape[1] == without.shape[1] + 72


def test_map_of_another_size_is_an_error():
    with pytest.raises(ImageError, match="one shape"):
        compose_result(_picture(5), _map(np.ones((9, 9))), _picture(5))


def test_unit_values_become_gray_between_black_and_white():
    gray = paint_unit(np.array([-1.0, 0.0, 0.5, 2.0, np.nan]))
    assert gray[:, 0].tolist() == [0, 0, 128, 255, 0]
    assert (gray == gray[:, :1]).all()


def test_map_is_gray_where_it_is_not_sure():
    image, radius = _picture(5, (60, 60)), np.full((60, 60), 3.0)
    confidence = np.where(np.arange(60) < 30, 0.1, 0.9) * np.ones((60, 1))
    panel = compose_result(image, _map(radius, confidence), image, width=60)
    shown = panel[30 + 20, 12 + 60 + 12 : 12 + 60 + 12 + 60]
    assert (shown[5:25] == 128).all()
    assert not (shown[35:55] == 128).all(axis=1).any()
