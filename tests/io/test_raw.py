"""Camera raw files: developed upright to 16 bits, with EXIF."""

import sys

import numpy as np
import pytest
import tifffile

from napari_defocus.batch.plan import make_plan
from napari_defocus.batch.run import run_plan
from napari_defocus.batch.settings import Settings
from napari_defocus.errors import FileError, OptionError
from napari_defocus.image.encoding import encode
from napari_defocus.io import read_picture, write_picture
from napari_defocus.io.raw import read_raw

from ..raw_files import BLACK, SHAPE, mosaic, write_dng


def middle(picture):
    return picture.data[8:-8, 8:-8].reshape(-1, 3).mean(axis=0) / 65535


@pytest.fixture
def dng(tmp_path):
    pytest.importorskip("rawpy")
    write_dng(tmp_path / "a.DNG", mosaic(0.2, 0.2, 0.2))
    return tmp_path / "a.DNG"


@pytest.mark.parametrize("color", [(0.2, 0.2, 0.2), (0.5, 0.2, 0.05)])
def test_colors_are_developed_to_srgb(dng, color):
    write_dng(dng, mosaic(*color))
    picture = read_picture(dng)
    assert (picture.data.shape, picture.data.dtype) == ((*SHAPE, 3), np.uint16)
    assert picture.axes == "YXS"
    np.testing.assert_allclose(middle(picture), encode(np.array(color)), atol=0.01)


@pytest.mark.parametrize(("orientation", "shape"), [(1, SHAPE), (6, SHAPE[::-1]), (3, SHAPE)])
def test_pictures_are_upright(dng, orientation, shape):
    half = mosaic(0.6, 0.6, 0.6)
    half[: SHAPE[0] // 2] = BLACK
    write_dng(dng, half, orientation=orientation)
    data = read_picture(dng).data.astype(float)
    assert data.shape == (*shape, 3)
    top, bottom = data[: shape[0] // 2].mean(), data[shape[0] // 2 :].mean()
    left, right = data[:, : shape[1] // 2].mean(), data[:, shape[1] // 2 :].mean()
    assert {1: bottom > 2 * top, 3: top > 2 * bottom, 6: left > 2 * right}[orientation]


def test_camera_model_is_kept_in_a_tiff(dng, tmp_path):
    picture = read_picture(dng)
    write_picture(tmp_path / "b.tif", picture.data, picture)
    with tifffile.TiffFile(tmp_path / "b.tif") as tiff:
        tags = tiff.pages[0].tags
        assert tags["Model"].value == "Camera"
        assert "Orientation" not in tags


def test_second_frame_is_read_if_there_is_one(dng, tmp_path):
    write_dng(tmp_path / "two.dng", mosaic(0.4, 0.4, 0.4), mosaic(0.1, 0.1, 0.1))
    first, second = (read_raw(tmp_path / "two.dng", frame=frame) for frame in (0, 1))
    np.testing.assert_array_equal(read_picture(tmp_path / "two.dng").data, first.data)
    assert middle(first).min() > 1.5 * middle(second).max() > 0
    with pytest.raises(FileError, match="has no frame 1"):
        read_raw(dng, frame=1)


def test_missing_extra_is_named(dng, monkeypatch):
    monkeypatch.setitem(sys.modules, "rawpy", None)
    with pytest.raises(OptionError, match=r"a.DNG is a camera raw file; .*napari-defocus\[raw\]"):
        read_picture(dng)


@pytest.mark.parametrize("length", [9, 200, 3000, -2000])
def test_damaged_file_is_refused(dng, length):
    dng.write_bytes(dng.read_bytes()[:length])
    with pytest.raises(FileError, match=r"a.DNG is damaged"):
        read_picture(dng)


@pytest.mark.parametrize("name", ["a.CR2", "a.CR3", "a.NEF", "a.ARW", "a.RAF", "a.ORF", "a.RW2"])
def test_other_content_under_a_raw_suffix_is_refused(tmp_path, name):
    pytest.importorskip("rawpy")
    for content in (b"MM\0*" + bytes(99), b"nothing at all" * 9):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(FileError, match=f"{name} is damaged, or no raw file"):
            read_picture(tmp_path / name)


def test_a_batch_finds_raw_files_and_writes_tiff(dng, tmp_path):
    plan = make_plan([tmp_path], tmp_path / "out", Settings(task="both"))
    names = [path.name for path in plan.items[0].results.values()]
    assert names == ["a-defocus.tif", "a-confidence.tif", "a-deblurred.tif"]
    *_, last = run_plan(plan)
    assert last.outcome.state == "done"
    assert read_picture(tmp_path / "out" / "a-deblurred.tif").data.dtype == np.uint16
