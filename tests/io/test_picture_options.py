"""Options that follow from a file's metadata."""

import numpy as np
import pytest
from PIL import Image

from napari_defocus import Options
from napari_defocus.io import Length, Metadata, Picture, read_picture, resolve_options

GRAY8 = np.arange(600, dtype=np.uint8).reshape(20, 30) % 200
GRAY16 = GRAY8.astype(np.uint16) * 20


def resolved(data, axes="YX", options=None, **metadata):
    """Return the options, and what was said."""
    notes = []
    picture = Picture(data, axes, Metadata(**metadata))
    return resolve_options(picture, options or Options(), notes.append), " ".join(notes)


def camera():
    """EXIF that names a camera."""
    exif = Image.Exif()
    exif[271] = "Maker"
    return exif.tobytes().removeprefix(b"Exif\0\0")


@pytest.mark.parametrize(
    "metadata",
    [
        {"imagej": {"ImageJ": "1.54"}},
        {"ome": "<OME/>"},
        {"ngff": {"version": "0.5"}},
        {"pixel_size": {"X": Length(0.65, "\N{MICRO SIGN}m")}},
    ],
)
def test_gray_of_8_bits_from_a_microscope_is_linear(metadata):
    options, note = resolved(GRAY8, **metadata)
    assert (options.imaging, options.encoding) == ("microscopy", "linear")
    assert options.value_range[1] < 200
    assert "taken for microscopy" in note
    for choice in ({"imaging": "photograph"}, {"encoding": "srgb"}):
        options, note = resolved(GRAY8, options=Options(**choice), **metadata)
        assert (options.encoding, options.value_range, note) == ("srgb", (0, 255), "")


def test_gray_of_16_bits_from_a_camera_is_a_photograph():
    options, note = resolved(GRAY16, exif=camera(), white=4095.0)
    assert (options.encoding, options.value_range) == ("srgb", (0, 4095))
    assert "its EXIF names a camera" in note
    assert resolved(GRAY16)[0].encoding == "linear"


def test_other_files_are_taken_by_their_type_without_a_word():
    for data, metadata in (
        (GRAY8, {}),
        (GRAY16, {"imagej": {"ImageJ": "1.54"}}),
        (GRAY8, {"exif": camera()}),
    ):
        options, note = resolved(data, **metadata)
        assert (options.imaging, note) == ("auto", "")


def test_declared_white_is_heeded():
    color = np.stack([GRAY16] * 3, axis=-1)
    assert resolved(color, "YXS", white=16383.0)[0].value_range == (0, 16383)
    options = Options(value_range=(5, 50))
    assert resolved(color, "YXS", options, white=16383.0)[0].value_range == (5, 50)


def test_declared_value_without_data_is_heeded_and_said():
    options, note = resolved(GRAY16, nodata=0.0)
    assert options.nodata == 0
    assert options.value_range[0] == 20
    assert "pixels of the value 0 hold no data" in note
    options, note = resolved(GRAY16, options=Options(nodata="none"), nodata=0.0)
    assert (options.nodata, options.value_range[0], note) == ("none", 0, "")


def test_channels_of_a_file_have_ranges_of_their_own():
    data = np.stack([np.stack([GRAY16, GRAY16 // 9])] * 3)
    options, note = resolved(data, "TCYX")
    assert np.shape(options.value_range) == (2, 2)
    assert not note
    assert "range_axis=1" in resolved(data, "QIYX")[1]


def test_results_of_one_bit_a_pixel_are_said_to_have_8(tmp_path):
    Image.fromarray(GRAY8 > 100).save(tmp_path / "a.tif")
    picture, notes = read_picture(tmp_path / "a.tif"), []
    assert resolve_options(picture, Options(), notes.append).value_range == (0, 255)
    assert notes == [
        "its pixels are of one bit, black or white; those of results are of 8 bits, 0 to 255"
    ]


def test_declared_values_that_the_type_does_not_hold_are_not_heeded():
    options, note = resolved(GRAY8, nodata=-9999.0)
    assert (options.nodata, note) == ("auto", "")
