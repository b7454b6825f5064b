"""Slides of whole-slide scanners: levels, regions, tissue, pixel sizes, and what is left out."""

import numpy as np
import pytest

from napari_defocus.errors import FileError
from napari_defocus.io import Length, open_picture, read_picture

from .slide_files import scene, write_bif, write_ndpi, write_scn, write_svs

tiffslide = pytest.importorskip("tiffslide", reason="the extra formats is not installed")
SCENE = scene(1000, 1500)


@pytest.fixture
def slide(tmp_path):
    write_svs(tmp_path / "a.svs", SCENE)
    return tmp_path / "a.svs"


@pytest.mark.parametrize(
    ("name", "write", "power"),
    [
        ("a.svs", write_svs, 20),
        ("a.ndpi", write_ndpi, 40),
        ("a.scn", write_scn, 20),
        ("a.bif", write_bif, 20),
    ],
)
def test_levels_of_each_scanner_are_read(tmp_path, name, write, power):
    write(tmp_path / name, SCENE)
    whole = read_picture(tmp_path / name)
    level = open_picture(tmp_path / name / "1", lazy_from=0)
    np.testing.assert_array_equal(whole.data, SCENE)
    np.testing.assert_array_equal(np.asarray(level.data), SCENE[::4, ::4])
    assert whole.metadata.pixel_size == {"X": Length(0.5, "µm"), "Y": Length(0.5, "µm")}
    assert level.metadata.pixel_size["X"] == Length(2.0, "µm")
    assert whole.metadata.objective.magnification == power
    assert f"other levels, which are read as {tmp_path / name}/1" in whole.ignored


def test_pixels_compressed_as_by_scanners_are_those_of_tiffslide(tmp_path):
    path = tmp_path / "a.svs"
    write_svs(path, SCENE, compression="jpeg", compressionargs={"level": 90})
    with tiffslide.TiffSlide(path) as expected:
        region = expected.read_region((300, 200), 0, (400, 250), as_array=True)
    window = open_picture(path, lazy_from=0).data[200:450, 300:700]
    np.testing.assert_array_equal(np.asarray(window), region)


def test_label_and_macro_image_are_said(slide):
    assert read_picture(slide / "2").ignored.endswith("thumbnail, label, macro images")


def test_region_of_a_level_is_read(slide):
    picture = read_picture(slide / "1" / "100,50,60,40")
    np.testing.assert_array_equal(picture.data, SCENE[::4, ::4][50:90, 100:160])
    assert picture.metadata.origin == {"X": 200.0, "Y": 100.0}


def test_tissue_alone_is_read(slide):
    picture = read_picture(slide / "tissue")
    left, top = (round(picture.metadata.origin[axis] / 0.5) for axis in "XY")
    height, width = picture.data.shape[:2]
    assert 640 <= left <= 675
    assert 280 <= top <= 300
    assert left + width >= 1125
    assert top + height >= 700
    assert height * width < SCENE[..., 0].size / 3


def test_slide_without_tissue_is_refused(tmp_path):
    write_svs(tmp_path / "a.svs", np.full((512, 512, 3), 240, np.uint8))
    with pytest.raises(FileError, match="shows no stained tissue; name a region"):
        read_picture(tmp_path / "a.svs" / "tissue")


@pytest.mark.parametrize(
    ("part", "words"),
    [("7", "has no level 7; it has 3"), ("1/300,0,100,10", "has no region 300,0,100,10 in a")],
)
def test_missing_level_or_region_is_refused(slide, part, words):
    with pytest.raises(FileError, match=words):
        read_picture(slide / part)


def test_region_of_another_file_is_refused(tmp_path):
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    with pytest.raises(FileError, match="is no slide, so tissue of it cannot be read"):
        read_picture(tmp_path / "a.png" / "tissue")


@pytest.mark.parametrize("share", [0.01, 0.5, 0.9])
def test_truncated_slide_is_refused(slide, share):
    content = slide.read_bytes()
    slide.write_bytes(content[: int(share * len(content))])
    with pytest.raises(FileError, match=r"damaged|truncated|holds no image"):
        read_picture(slide)
