"""LIF files, written byte by byte; the reference is liffile."""

import numpy as np
import pytest

from napari_defocus.errors import FileError
from napari_defocus.io import Length, open_picture, read_picture
from napari_defocus.io.picture import ObjectiveLens

liffile = pytest.importorskip("liffile", reason="needs liffile, of the extra formats")

from .lif_file import lif_bytes  # noqa: E402

STACK = np.random.default_rng(0).integers(0, 4096, (3, 4, 2, 20, 30), np.uint16)
COLOR = np.random.default_rng(1).integers(0, 255, (20, 30, 3), np.uint8)


@pytest.fixture
def path(tmp_path):
    times = [frame + 0.01 * n for frame in (0, 1.5, 3.25) for n in range(8)]
    images = [
        (STACK, "TZCYX", {"times": times}),
        (COLOR, "YXS", {}),
        (STACK[0, :, 0], "ZYX", {}),
    ]
    (tmp_path / "a.lif").write_bytes(lif_bytes(*images))
    return tmp_path / "a.lif"


def test_stack_is_read_with_its_metadata(path):
    picture = read_picture(path)
    assert picture.axes == "TZCYX"
    np.testing.assert_array_equal(picture.data, STACK)
    with liffile.LifFile(path) as file:
        np.testing.assert_array_equal(picture.data, file.images[0].asarray())
    assert picture.ignored == f"2 further images, which are read as {path}/1 and {path}/2"
    metadata = picture.metadata
    assert metadata.pixel_size == {
        "X": Length(0.1, "µm"),
        "Y": Length(0.2, "µm"),
        "Z": Length(0.5, "µm"),
        "T": Length(1.5, "s"),
    }
    assert metadata.channel_names == ("Blue", "Green")
    assert metadata.times == (0.0, 1.5, 3.25)
    assert metadata.objective == ObjectiveLens(1.4, 63, "Oil")
    assert metadata.white == 4095


def test_images_are_read_by_their_numbers(path):
    color, stack = (read_picture(path / str(number)) for number in (1, 2))
    assert (color.axes, stack.axes) == ("YXS", "ZYX")
    np.testing.assert_array_equal(color.data, COLOR)
    np.testing.assert_array_equal(stack.data, STACK[0, :, 0])
    with pytest.raises(FileError, match="has no image 3; it holds 3 images, 0 to 2"):
        read_picture(path / "3")


def test_section_along_z_is_an_image(tmp_path):
    (tmp_path / "a.lif").write_bytes(lif_bytes((STACK[0, :, 0, 0], "ZX", {})))
    picture = read_picture(tmp_path / "a.lif")
    assert picture.axes == "YX"
    np.testing.assert_array_equal(picture.data, STACK[0, :, 0, 0])
    assert picture.metadata.pixel_size["Y"] == Length(0.5, "µm")


def test_tiles_of_a_mosaic_are_planes(tmp_path):
    (tmp_path / "a.lif").write_bytes(lif_bytes((STACK[:, 0, 0], "MYX", {})))
    assert read_picture(tmp_path / "a.lif").axes == "MYX"


def test_window_is_read_alone(path):
    pixels = open_picture(path, lazy_from=0).data
    window = (1, slice(1, 3), 0, slice(3, 20), slice(5, 9))
    np.testing.assert_array_equal(pixels[window].compute(), STACK[window])


def test_truncated_file_is_refused(tmp_path, path):
    content = path.read_bytes()
    end = content.index(STACK[2, 3, 1, 19].tobytes())
    for length in (20, 2000, end // 2, end):
        path.write_bytes(content[:length])
        with pytest.raises(FileError, match="damaged"):
            read_picture(path)


def test_image_larger_than_its_pixels_is_refused(tmp_path):
    content = lif_bytes((STACK[0, :, 0], "ZYX", {}))
    old, new = (f'NumberOfElements="{n}"'.encode("utf-16-le") for n in (4, 9))
    (tmp_path / "a.lif").write_bytes(content.replace(old, new))
    with pytest.raises(FileError, match="image 0 is larger than its pixels"):
        read_picture(tmp_path / "a.lif")
