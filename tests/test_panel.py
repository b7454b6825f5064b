import numpy as np
import pytest

from napari_defocus.errors import ImageError
from napari_defocus.panel import Column, busiest_square, compose


def _picture(value, shape=(30, 60)):
    return np.full((*shape, 3), value, np.uint8)


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
    grey = compose([Column("a", _picture(128))])
    bar = compose([Column("a", _picture(128), limit=8)])
    signed = compose([Column("a", _picture(128), limit=8, signed=True)])
    assert grey.shape == bar.shape == signed.shape
    assert not np.array_equal(grey, bar)
    assert not np.array_equal(bar, signed)


def test_pictures_of_unequal_size_are_an_error():
    with pytest.raises(ImageError, match=r"\(30, 60, 3\), \(31, 60, 3\)"):
        compose([Column("a", _picture(1)), Column("b", _picture(1, (31, 60)))])


def test_no_picture_is_an_error():
    with pytest.raises(ImageError):
        compose([])


def test_busiest_square_shrinks_to_small_pictures():
    assert busiest_square(_picture(0), _picture(9), 400) == (0, 0, 30)
