"""CZI files: written byte by byte, and by Zeiss's own library where it is installed."""

import numpy as np
import pytest

from napari_defocus.errors import FileError
from napari_defocus.io import Length, open_picture, read_picture
from napari_defocus.io.picture import ObjectiveLens

pytest.importorskip("czifile", reason="needs czifile, of the extra formats")

from .czi_file import CziFile

STACK = np.random.default_rng(0).integers(0, 60000, (3, 2, 4, 20, 30), np.uint16)
COLOR = np.random.default_rng(1).integers(0, 255, (20, 30, 3), np.uint8)


def add_stack(file, data=STACK, **options):
    for t, c, z in np.ndindex(data.shape[:3]):
        file.add(data[t, c, z], T=t, C=c, Z=z, **options)
    return file


@pytest.mark.parametrize("compression", [0, 2, 4, 5, 6])
def test_stack_is_read_with_its_metadata(tmp_path, compression):
    file = add_stack(CziFile(), compression=compression)
    picture = read_picture(file.write(tmp_path / "a.czi", times=(10.0, 11.5, 13.25)))
    assert picture.axes == "TCZYX"
    np.testing.assert_array_equal(picture.data, STACK)
    assert picture.ignored == ""
    metadata = picture.metadata
    assert metadata.pixel_size == {
        "X": Length(0.1, "µm"),
        "Y": Length(0.15, "µm"),
        "Z": Length(0.5, "µm"),
        "T": Length(1.625, "s"),
    }
    assert metadata.channel_names == ("DAPI", "GFP")
    assert metadata.wavelengths == (465, 509.5)
    assert metadata.times == (0.0, 1.5, 3.25)
    assert metadata.objective == ObjectiveLens(1.4, 63, "Oil")
    assert metadata.white == 16383


@pytest.mark.parametrize("compression", [0, 4, 5])
def test_colors_are_rgb(tmp_path, compression):
    file = CziFile()
    file.add(COLOR, compression=compression, C=0)
    picture = read_picture(file.write(tmp_path / "a.czi"))
    assert picture.axes == "YXS"
    np.testing.assert_array_equal(picture.data, COLOR)


@pytest.fixture
def mosaic(tmp_path):
    """Two scenes: a mosaic whose second tile covers part of the first, and a single tile."""
    file = CziFile()
    file.add(np.full((20, 30), 7, np.uint16), S=0, M=0, Y=-100, X=50)
    file.add(np.full((20, 30), 9, np.uint16), S=0, M=1, Y=-95, X=75, compression=6)
    file.add(np.full((10, 10), 5, np.uint16), S=0, shown=(40, 60), Y=-100, X=50)
    file.add(np.full((8, 8), 3, np.uint16), S=4, M=0, Y=1000, X=1000)
    return file.write(tmp_path / "a.czi")


def test_mosaic_is_put_together_without_its_smaller_copies(mosaic):
    picture = read_picture(mosaic)
    expected = np.zeros((25, 55), np.uint16)
    expected[:20, :30] = 7
    expected[5:, 25:] = 9
    np.testing.assert_array_equal(picture.data, expected)
    assert picture.ignored == f"a further image, which is read as {mosaic}/1"


def test_scene_is_read_by_its_number(mosaic):
    picture = read_picture(mosaic / "1")
    np.testing.assert_array_equal(picture.data, np.full((8, 8), 3))
    assert picture.ignored == f"a further image, which is read as {mosaic}/0"
    with pytest.raises(FileError, match="has no image 2; it holds 2 images, 0 to 1"):
        read_picture(mosaic / "2")


@pytest.mark.parametrize("compression", [0, 6])
def test_window_is_read_alone(tmp_path, compression):
    path = add_stack(CziFile(), compression=compression).write(tmp_path / "a.czi")
    pixels = open_picture(path, lazy_from=0).data
    for window in ((1, 0, 2, slice(5, 19), slice(3, 28, 2)), (slice(None), 1, slice(1, 3), 4)):
        np.testing.assert_array_equal(pixels[window].compute(), STACK[window])


def test_gray_and_color_channels_are_not_mixed(tmp_path):
    file = CziFile()
    file.add(COLOR[..., 0], C=0)
    file.add(COLOR, C=1)
    picture = read_picture(file.write(tmp_path / "a.czi"))
    np.testing.assert_array_equal(picture.data, COLOR[..., 0])
    assert picture.ignored == "channels in color"


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        ({"file_part": 1}, "one part of several files"),
        ({"shown": (2, 2)}, "holds no image"),
        ({"compression": 99}, "compressed by method 99"),
        ({"X": 2**31 - 40}, "bytes claim to hold"),
        ({"T": 70_000, "X": 0}, "holds 2 of 70001 planes"),
    ],
)
def test_file_that_cannot_be_read_is_refused(tmp_path, damage, words):
    file = CziFile()
    if "X" in damage:
        file.add(COLOR[..., 0], T=0, X=-(2**31) * (damage["X"] > 0), Y=0, compression=5)
    file.add(COLOR[..., 0], **{"T": 0, **damage})
    with pytest.raises(FileError, match=words):
        read_picture(file.write(tmp_path / "a.czi"))


@pytest.mark.parametrize("compression", [0, 5])
def test_truncated_file_is_refused(tmp_path, compression):
    file = add_stack(CziFile(), compression=compression)
    path = file.write(tmp_path / "a.czi")
    content = path.read_bytes()
    for share in (0.1, 0.5, 0.9):
        path.write_bytes(content[: int(share * len(content))])
        with pytest.raises(FileError, match="damaged|truncated"):
            read_picture(path)


def test_file_of_zeiss_own_library_is_read_as_by_it(tmp_path):
    czi = pytest.importorskip("pylibCZIrw.czi", reason="needs pylibCZIrw, which writes CZI files")
    path = tmp_path / "a.czi"
    options = "zstd1:ExplicitLevel=2;PreProcess=HiLoByteUnpack"
    with czi.create_czi(str(path), compression_options=options) as file:
        for t, c, z in np.ndindex(STACK.shape[:3]):
            for x in (0, 25):
                place = {"T": t, "C": c, "Z": z}
                file.write(STACK[t, c, z] + x, plane=place, location=(x - 50, 7))
        file.write_metadata("a", channel_names={0: "DAPI", 1: "GFP"}, scale_x=2e-7)
    picture = read_picture(path)
    with czi.open_czi(str(path)) as file:
        expected = [
            file.read(plane=dict(zip("TCZ", place, strict=True)))[..., 0]
            for place in np.ndindex(STACK.shape[:3])
        ]
    assert picture.axes == "TCZYX"
    np.testing.assert_array_equal(picture.data, np.reshape(expected, (3, 2, 4, 20, 55)))
    assert picture.metadata.channel_names == ("DAPI", "GFP")
    assert picture.metadata.pixel_size["X"] == Length(0.2, "µm")
