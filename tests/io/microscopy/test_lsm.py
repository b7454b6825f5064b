"""LSM files, written with tifffile and the tag that makes a TIFF file one."""

import numpy as np
import pytest
import tifffile

from napari_defocus.errors import FileError
from napari_defocus.io import Length, open_picture, read_picture
from napari_defocus.io.picture import ObjectiveLens

from .lsm_file import lsm_bytes

STACK = np.random.default_rng(0).integers(0, 4096, (3, 2, 2, 24, 32), np.uint16)


@pytest.fixture
def path(tmp_path):
    (tmp_path / "a.lsm").write_bytes(lsm_bytes(STACK))
    return tmp_path / "a.lsm"


def test_stack_is_read_with_its_metadata(path):
    picture = read_picture(path)
    assert picture.axes == "TZCYX"
    np.testing.assert_array_equal(picture.data, STACK)
    np.testing.assert_array_equal(picture.data, tifffile.imread(path))
    assert picture.ignored == ""
    metadata = picture.metadata
    assert metadata.pixel_size == {
        "X": Length(0.1, "µm"),
        "Y": Length(0.2, "µm"),
        "Z": Length(0.5, "µm"),
        "T": Length(2.5, "s"),
    }
    assert metadata.channel_names == ("Ch1", "Ch2")
    assert metadata.times == (0.0, 2.5, 5.0)
    assert metadata.objective == ObjectiveLens(1.4, 63, "Oil")
    assert metadata.white == 4095


@pytest.mark.parametrize("channels", [1, 2, 3])
def test_channels_are_planes_whatever_the_tiff_tags_call_them(tmp_path, channels):
    data = np.concatenate([STACK, STACK], axis=2)[:1, :1, :channels]
    kind = "minisblack" if channels < 3 else "rgb"
    (tmp_path / "a.lsm").write_bytes(lsm_bytes(data, photometric=kind))
    picture = read_picture(tmp_path / "a.lsm")
    assert picture.channel_axis is None
    np.testing.assert_array_equal(picture.data.squeeze(), data.squeeze())


def test_window_is_read_alone(path):
    pytest.importorskip("zarr")
    pixels = open_picture(path, lazy_from=0).data
    window = (1, 0, slice(None), slice(3, 20), slice(5, 9))
    np.testing.assert_array_equal(pixels[window].compute(), STACK[window])


@pytest.mark.parametrize(
    ("name", "objective"),
    [
        ("EC Plan-Neofluar 10x/0.30 M27", ObjectiveLens(0.3, 10)),
        ("C-Apochromat 40x/1.2 W Korr", ObjectiveLens(1.2, 40, "Water")),
        ("none", None),
    ],
)
def test_objective_is_read_from_its_name(tmp_path, name, objective):
    (tmp_path / "a.lsm").write_bytes(lsm_bytes(STACK[:1], objective=name))
    assert read_picture(tmp_path / "a.lsm").metadata.objective == objective


def test_truncated_file_is_refused(path):
    content = path.read_bytes()
    for share in (0.1, 0.5, 0.8):
        path.write_bytes(content[: int(share * len(content))])
        with pytest.raises(FileError, match=r"a\.lsm"):
            read_picture(path)
