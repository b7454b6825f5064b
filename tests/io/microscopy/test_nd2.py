"""ND2 files, written byte by byte; the reference is nd2."""

import numpy as np
import pytest

from napari_defocus.errors import FileError
from napari_defocus.io import Length, open_picture, read_picture
from napari_defocus.io.picture import ObjectiveLens

nd2 = pytest.importorskip("nd2", reason="needs nd2, of the extra formats")

from .nd2_file import nd2_bytes  # noqa: E402

STACK = np.random.default_rng(0).integers(0, 4096, (3, 4, 2, 20, 30), np.uint16)


def written(path, *args, **options):
    path.write_bytes(nd2_bytes(*args, **options))
    return path


@pytest.mark.parametrize(
    "options", [{}, {"compressed": True}, {"padding": 6}, {"compressed": True, "padding": 2}]
)
def test_stack_is_read_with_its_metadata(tmp_path, options):
    path = written(tmp_path / "a.nd2", STACK, "TZCYX", **options)
    picture = read_picture(path)
    assert picture.axes == "TZCYX"
    np.testing.assert_array_equal(picture.data, STACK)
    np.testing.assert_array_equal(picture.data, nd2.imread(path))
    metadata = picture.metadata
    assert metadata.pixel_size == {
        "X": Length(0.25, "µm"),
        "Y": Length(0.25, "µm"),
        "Z": Length(0.5, "µm"),
        "T": Length(1.0, "s"),
    }
    assert metadata.channel_names == ("DAPI", "GFP")
    assert metadata.wavelengths == (510.5, 510.5)
    assert metadata.times == (0.0, 1.0, 2.0)
    assert metadata.objective == ObjectiveLens(1.4, 60, "Oil")
    assert metadata.white == 4095


def test_colors_are_read(tmp_path):
    data = np.random.default_rng(1).integers(0, 255, (4, 20, 30, 3), np.uint8)
    path = written(tmp_path / "a.nd2", data, "ZYXS")
    picture = read_picture(path)
    assert picture.axes == "ZYXS"
    np.testing.assert_array_equal(picture.data, nd2.imread(path))


def test_positions_are_read_by_their_numbers(tmp_path):
    path = written(tmp_path / "a.nd2", STACK, "TPCYX")
    picture = read_picture(path)
    assert picture.axes == "TCYX"
    np.testing.assert_array_equal(picture.data, STACK[:, 0])
    assert picture.ignored == f"3 further images, which are read as {path}/1 to {path}/3"
    np.testing.assert_array_equal(read_picture(path / "2").data, STACK[:, 2])
    with pytest.raises(FileError, match="has no image 4"):
        read_picture(path / "4")


def test_single_plane_is_read(tmp_path):
    path = written(tmp_path / "a.nd2", STACK[0, 0, 0], "YX")
    picture = read_picture(path)
    assert picture.axes == "YX"
    np.testing.assert_array_equal(picture.data, STACK[0, 0, 0])


@pytest.mark.parametrize("options", [{}, {"compressed": True}])
def test_window_is_read_alone(tmp_path, options):
    path = written(tmp_path / "a.nd2", STACK, "TZCYX", **options)
    pixels = open_picture(path, lazy_from=0).data
    window = (1, slice(1, 3), 0, slice(3, 20), slice(5, 9))
    np.testing.assert_array_equal(pixels[window].compute(), STACK[window])


def test_of_a_stopped_acquisition_complete_stacks_are_read(tmp_path):
    path = written(tmp_path / "a.nd2", STACK, "TZCYX", frames=10)
    picture = read_picture(path)
    np.testing.assert_array_equal(picture.data, STACK[:2])
    assert picture.metadata.times == (0.0, 1.0)
    path = written(tmp_path / "a.nd2", STACK, "TZCYX", frames=3)
    with pytest.raises(FileError, match="lacks 9 of its 12 frames"):
        read_picture(path)


@pytest.mark.parametrize("compressed", [False, True])
def test_truncated_file_is_refused(tmp_path, compressed):
    path = written(tmp_path / "a.nd2", STACK, "TZCYX", compressed=compressed)
    content = path.read_bytes()
    for end in (20, len(content) // 2, len(content) - 1):
        path.write_bytes(content[:end])
        with pytest.raises(FileError, match="damaged"):
            read_picture(path)
    path.write_bytes(content[:50_000] + content[-2000:])
    with pytest.raises(FileError, match="damaged"):
        read_picture(path)
