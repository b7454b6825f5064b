"""OIB and OIF files: one that an Olympus FluoView wrote, and what is made of it."""

import lzma
import os
import struct

import numpy as np
import pytest

from napari_defocus.errors import FileError
from napari_defocus.io import Length, open_picture, read_picture
from napari_defocus.io.picture import ObjectiveLens

from .examples import FLUOVIEW

oiffile = pytest.importorskip("oiffile", reason="needs oiffile, of the extra formats")


@pytest.fixture
def oib(tmp_path):
    (tmp_path / "a.oib").write_bytes(lzma.decompress(FLUOVIEW.read_bytes()))
    return tmp_path / "a.oib"


@pytest.fixture
def oif(oib, tmp_path):
    oiffile.oib2oif(oib, tmp_path, verbose=0)
    return next(tmp_path.glob("*.oif"))


@pytest.mark.parametrize("kind", ["oib", "oif"])
def test_image_is_read_with_its_metadata(request, kind):
    path = request.getfixturevalue(kind)
    picture = read_picture(path)
    assert picture.axes == "CYX"
    np.testing.assert_array_equal(picture.data, oiffile.imread(path))
    metadata = picture.metadata
    assert metadata.pixel_size == {"X": Length(0.177, "µm"), "Y": Length(0.177, "µm")}
    assert metadata.channel_names == ("CH1", "Alexa Fluor 546", "TD1")
    assert metadata.wavelengths == (None, 572, None)
    assert metadata.objective == ObjectiveLens(0.75, 40, "")
    assert metadata.white == 4095


def test_window_is_read_alone(oib):
    pixels = open_picture(oib, lazy_from=0).data
    window = (1, slice(3, 20), slice(5, 9))
    np.testing.assert_array_equal(pixels[window].compute(), oiffile.imread(oib)[window])


def folder(oif):
    return oif.with_name(f"{oif.name}.files")


def test_stack_of_planes_and_frames_is_read(oif):
    for name in folder(oif).glob("s_C*.*"):
        name.rename(name.with_name(name.name.replace("s_C001", "s_Z001T001")))
    first = folder(oif) / "s_Z001T001.tif"
    for z in (1, 2):
        for t in (1, 2, 3):
            (folder(oif) / f"s_Z{z:03}T{t:03}.tif").write_bytes(first.read_bytes())
    for name in folder(oif).glob("s_C*.tif"):
        name.unlink()
    settings = oif.read_bytes().decode("utf-16")
    settings = settings.replace("EndPosition=22766.0", "EndPosition=3000")
    oif.write_bytes(settings.encode("utf-16"))
    picture = read_picture(oif)
    assert picture.axes == "ZTYX"
    assert picture.data.shape == (2, 3, 256, 256)
    assert picture.metadata.pixel_size["T"] == Length(1.5, "s")


def test_missing_plane_is_refused(oif):
    (folder(oif) / "s_C002.tif").unlink()
    with pytest.raises(FileError, match="lacks 1 of its planes"):
        read_picture(oif)


def test_missing_folder_is_named(oif):
    folder(oif).rename(oif.with_name("elsewhere"))
    with pytest.raises(FileError, match=r"needs the folder .*\.oif\.files beside it"):
        read_picture(oif)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs POSIX pipes")
def test_links_and_pipes_in_the_folder_are_not_followed(oif, tmp_path):
    plane = folder(oif) / "s_C002.tif"
    plane.rename(tmp_path / "secret.tif")
    plane.symlink_to(tmp_path / "secret.tif")
    with pytest.raises(FileError, match="lacks 1 of its planes"):
        read_picture(oif)
    plane.unlink()
    os.mkfifo(plane)
    with pytest.raises(FileError, match="lacks 1 of its planes"):
        read_picture(oif)


def test_chain_of_sectors_in_a_circle_is_not_followed(oib):
    content = bytearray(oib.read_bytes())
    table = (struct.unpack_from("<I", content, 76)[0] + 1) << struct.unpack_from("<H", content, 30)[
        0
    ]
    directory = struct.unpack_from("<I", content, 48)[0]
    struct.pack_into("<I", content, table + 4 * directory, directory)
    oib.write_bytes(content)
    with pytest.raises(FileError, match="its sectors lead in a circle"):
        read_picture(oib)


@pytest.mark.parametrize("place", [44, 64, 72])
def test_number_of_sectors_beyond_the_file_is_refused(oib, place):
    content = bytearray(oib.read_bytes())
    struct.pack_into("<I", content, place, 2**31)
    oib.write_bytes(content)
    with pytest.raises(FileError, match="claim more sectors than it holds"):
        read_picture(oib)


def test_truncated_file_is_refused(oib):
    content = oib.read_bytes()
    for share in (0.01, 0.5, 0.8):
        oib.write_bytes(content[: int(share * len(content))])
        with pytest.raises(FileError, match="damaged"):
            read_picture(oib)
