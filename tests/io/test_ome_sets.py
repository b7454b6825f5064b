"""OME-TIFF images in several files: the set, its companion file, and several images."""

import numpy as np
import pytest

from napari_defocus.batch.inputs import find_inputs
from napari_defocus.errors import FileError
from napari_defocus.io import open_picture, read_picture
from napari_defocus.io.ome_sets import set_files
from napari_defocus.io.picture import Length

from ..ome_files import plane, write_set


@pytest.mark.parametrize("companion", ["", "s.companion.ome"])
@pytest.mark.parametrize("lazy_from", [1, 1e9])
def test_any_file_of_a_set_holds_all_planes(tmp_path, companion, lazy_from):
    write_set(tmp_path, [1, 0, 2], companion=companion)
    for path in tmp_path.iterdir():
        picture = open_picture(path, lazy_from=lazy_from)
        assert picture.axes == "ZYX"
        np.testing.assert_array_equal(np.asarray(picture.data), [plane(n) for n in (1, 0, 2)])
        assert picture.metadata.pixel_size["X"] == Length(0.1, "µm")


def test_each_file_of_several_images_holds_its_own(tmp_path):
    write_set(tmp_path, [0], [1, 2], [3])
    assert [len(file.others) for file in find_inputs([tmp_path])] == [0, 1, 0]
    for name, wanted, size in (
        ("s_0.tif", plane(0), 0.1),
        ("s_2.tif", [plane(1), plane(2)], 0.2),
        ("s_3.tif", plane(3), 0.3),
    ):
        picture = read_picture(tmp_path / name)
        np.testing.assert_array_equal(picture.data, wanted)
        assert picture.metadata.pixel_size["X"].value == size
        assert picture.ignored.startswith("2 further images")


def test_a_missing_companion_file_is_named(tmp_path):
    write_set(tmp_path, [0], companion="s.companion.ome")
    (tmp_path / "s.companion.ome").unlink()
    with pytest.raises(FileError, match=r"lacks its OME-XML, .*s.companion.ome: No such file"):
        read_picture(tmp_path / "s_0.tif")
    assert set_files(tmp_path / "s_0.tif") == ()


def test_a_companion_file_elsewhere_is_not_read(tmp_path):
    write_set(tmp_path, [0], companion="../s.companion.ome")
    with pytest.raises(FileError, match="only a file in its folder is read"):
        read_picture(tmp_path / "s_0.tif")


@pytest.mark.parametrize("text", ["<OME/>", "<?xml", "<OME><Image><Pixels/></Image></OME>"])
def test_a_companion_file_without_tiff_files_is_refused(tmp_path, text):
    (tmp_path / "a.companion.ome").write_text(text)
    with pytest.raises(FileError, match="names no TIFF file in its folder"):
        read_picture(tmp_path / "a.companion.ome")
