"""Reading of images of all kinds as arrays of colors."""

import numpy as np
import pytest
import tifffile
from PIL import Image
from skimage.data import astronaut

from training.data.images import image_files, read_colors, to_unit

COLORS = astronaut()[:64, 100:180]
ALPHA = np.full((*COLORS.shape[:2], 1), 200, np.uint8)
PICTURES = {
    "color.png": COLORS,
    "alpha.png": np.concatenate([COLORS, ALPHA], -1),
    "color.webp": COLORS,
    "color.tif": COLORS,
}


@pytest.mark.parametrize("name", PICTURES)
def test_colors_are_read_without_their_alpha(name, tmp_path):
    Image.fromarray(PICTURES[name]).save(tmp_path / name, lossless=True)
    assert np.array_equal(read_colors(tmp_path / name), COLORS)


@pytest.mark.parametrize("name", ["gray.png", "gray.tif"])
def test_gray_becomes_three_equal_channels(name, tmp_path):
    Image.fromarray(COLORS[..., 0]).save(tmp_path / name)
    assert np.array_equal(read_colors(tmp_path / name), np.repeat(COLORS[..., :1], 3, -1))


def test_deep_gray_keeps_its_depth(tmp_path):
    deep = COLORS[..., 0].astype(np.uint16) * 200 + 7
    Image.fromarray(deep).save(tmp_path / "deep.png")
    assert np.array_equal(read_colors(tmp_path / "deep.png")[..., 1], deep)


@pytest.mark.parametrize("data", [np.zeros((4, 64, 64), np.uint8), np.zeros((64, 64), np.float32)])
def test_only_single_integer_pictures_are_accepted(data, tmp_path):
    tifffile.imwrite(tmp_path / "other.tif", data, photometric="minisblack")
    with pytest.raises(ValueError, match=r"other\.tif cannot be read: axes"):
        read_colors(tmp_path / "other.tif")


def test_values_become_shares_of_white():
    unit = to_unit(np.full((4, 5, 3), 65535, np.uint16))
    assert unit.shape == (3, 4, 5)
    assert unit.unique().tolist() == [1.0]


def test_only_images_are_listed_in_order(tmp_path):
    for name in ("b.PNG", "a.jpg", "SOURCES.csv"):
        (tmp_path / name).touch()
    assert [path.name for path in image_files(tmp_path)] == ["a.jpg", "b.PNG"]
