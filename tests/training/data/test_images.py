"""Images of all kinds as arrays of colours."""

import numpy as np
import pytest
import tifffile
from PIL import Image
from skimage.data import astronaut

from training.data.images import image_files, read_colours, to_unit

COLOURS = astronaut()[:64, 100:180]
ALPHA = np.full((*COLOURS.shape[:2], 1), 200, np.uint8)
PICTURES = {
    "colour.png": COLOURS,
    "alpha.png": np.concatenate([COLOURS, ALPHA], -1),
    "colour.webp": COLOURS,
    "colour.tif": COLOURS,
}


@pytest.mark.parametrize("name", PICTURES)
def test_colours_are_read_without_their_alpha(name, tmp_path):
    Image.fromarray(PICTURES[name]).save(tmp_path / name, lossless=True)
    assert np.array_equal(read_colours(tmp_path / name), COLOURS)


@pytest.mark.parametrize("name", ["grey.png", "grey.tif"])
def test_grey_becomes_three_equal_channels(name, tmp_path):
    Image.fromarray(COLOURS[..., 0]).save(tmp_path / name)
    assert np.array_equal(read_colours(tmp_path / name), np.repeat(COLOURS[..., :1], 3, -1))


def test_deep_grey_keeps_its_depth(tmp_path):
    deep = COLOURS[..., 0].astype(np.uint16) * 200 + 7
    Image.fromarray(deep).save(tmp_path / "deep.png")
    assert np.array_equal(read_colours(tmp_path / "deep.png")[..., 1], deep)


@pytest.mark.parametrize("data", [np.zeros((4, 64, 64), np.uint8), np.zeros((64, 64), np.float32)])
def test_what_is_no_single_picture_of_whole_numbers_is_refused(data, tmp_path):
    tifffile.imwrite(tmp_path / "other.tif", data, photometric="minisblack")
    with pytest.raises(ValueError, match=r"other\.tif cannot be read: axes"):
        read_colours(tmp_path / "other.tif")


def test_values_become_shares_of_white():
    unit = to_unit(np.full((4, 5, 3), 65535, np.uint16))
    assert unit.shape == (3, 4, 5)
    assert unit.unique().tolist() == [1.0]


def test_only_images_are_listed_in_order(tmp_path):
    for name in ("b.PNG", "a.jpg", "SOURCES.csv"):
        (tmp_path / name).touch()
    assert [path.name for path in image_files(tmp_path)] == ["a.jpg", "b.PNG"]
