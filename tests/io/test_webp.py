"""WebP files that are written: stills without loss, stacks as films."""

import numpy as np
import pytest
from PIL import Image

from napari_defocus.errors import FileError
from napari_defocus.io import read_picture, write_picture
from napari_defocus.io.picture import Metadata, Picture

COLORS = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)
ALPHA = np.concatenate([COLORS, COLORS[..., :1] // 2], axis=-1)


@pytest.mark.parametrize("pixels", [COLORS, ALPHA])
def test_colors_are_kept_to_the_last_bit_with_their_metadata(tmp_path, pixels):
    exif = Image.Exif()
    exif[0x010F] = "a camera"
    metadata = Metadata(exif=exif.tobytes().removeprefix(b"Exif\0\0"), icc=b"profile" * 20)
    write_picture(tmp_path / "a.webp", pixels, Picture(pixels, "YXS", metadata))
    saved = read_picture(tmp_path / "a.webp")
    np.testing.assert_array_equal(saved.data, pixels)
    assert b"a camera" in saved.metadata.exif
    assert saved.metadata.icc == metadata.icc


def test_display_values_of_16_bits_are_rounded(tmp_path):
    wide = COLORS // 2 * np.uint16(257)
    write_picture(tmp_path / "a.webp", wide + 20, channel_axis=-1)
    np.testing.assert_array_equal(read_picture(tmp_path / "a.webp").data, COLORS // 2)


@pytest.mark.parametrize("channel_axis", [None, -1])
def test_a_stack_becomes_a_film_there_and_back(tmp_path, channel_axis):
    levels = np.array([20, 90, 160, 230], np.uint8)
    shape = (4, 16, 24) if channel_axis is None else (4, 16, 24, 3)
    stack = np.broadcast_to(levels.reshape(-1, *[1] * (len(shape) - 1)), shape).copy()
    write_picture(tmp_path / "a.webp", stack, channel_axis=channel_axis)
    with Image.open(tmp_path / "a.webp") as film:
        shown = []
        for index in range(film.n_frames):
            film.seek(index)
            shown.append(np.asarray(film.convert("L")).mean())
    np.testing.assert_allclose(shown, levels[[0, 1, 2, 3, 2, 1]], atol=3)


@pytest.mark.parametrize(
    ("pixels", "words"),
    [
        (COLORS[..., 0], "cannot hold gray; WebP holds colors, write a .png or .tif"),
        (COLORS.astype(np.uint16), "uint16 values; WebP holds uint8, write a .png or .tif"),
        (COLORS.astype(np.float32), "float32 values"),
        (np.zeros((2, 3, 8, 8), np.uint8), "a stack of axes QQYX; write a .tif"),
        (np.zeros((2, 4, 16_384), np.uint8), "16384 x 4 pixels"),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path, pixels, words):
    with pytest.raises(FileError, match=words):
        write_picture(tmp_path / "a.webp", pixels)
    assert not list(tmp_path.iterdir())
