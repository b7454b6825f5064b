"""Imaris files, written with h5py as Imaris lays them out."""

import numpy as np
import pytest

from napari_defocus.errors import FileError
from napari_defocus.io import Length, open_picture, read_picture
from napari_defocus.io.picture import ObjectiveLens

h5py = pytest.importorskip("h5py", reason="needs h5py, of the extra formats")

from .ims_file import write_ims  # noqa: E402

STACK = np.random.default_rng(0).integers(0, 60000, (2, 2, 3, 40, 56), np.uint16)


@pytest.fixture
def path(tmp_path):
    write_ims(tmp_path / "a.ims", STACK, padded=8, compression="gzip", shuffle=True)
    return tmp_path / "a.ims"


def test_stack_is_read_with_its_metadata(path):
    picture = read_picture(path)
    assert picture.axes == "TCZYX"
    np.testing.assert_array_equal(picture.data, STACK)
    metadata = picture.metadata
    assert metadata.pixel_size == {
        "X": Length(0.25, "µm"),
        "Y": Length(0.25, "µm"),
        "Z": Length(1.5, "µm"),
        "T": Length(3.0, "s"),
    }
    assert metadata.channel_names == ("DAPI", "GFP")
    assert metadata.wavelengths == (461, 509)
    assert metadata.times == (0.0, 3.0)
    assert metadata.objective == ObjectiveLens(1.3, 40, "")


@pytest.mark.parametrize("options", [{"chunks": None}, {"compression": "gzip"}, {}])
def test_window_is_read_alone(tmp_path, options):
    write_ims(tmp_path / "a.ims", STACK, **options)
    pixels = open_picture(tmp_path / "a.ims", lazy_from=0).data
    window = (1, 0, 2, slice(5, 39), slice(3, 50))
    np.testing.assert_array_equal(pixels[window].compute(), STACK[window])


def test_axes_of_one_element_are_left_out(tmp_path):
    write_ims(tmp_path / "a.ims", STACK[:1, :1, :1])
    assert read_picture(tmp_path / "a.ims").axes == "YX"


def test_chunks_that_were_never_written_are_empty(tmp_path):
    write_ims(tmp_path / "a.ims", STACK[:1, :1, :2], compression="gzip")
    name = "DataSet/ResolutionLevel 0/TimePoint 0/Channel 0/Data"
    with h5py.File(tmp_path / "a.ims", "r+") as file:
        del file[name]
        file.create_dataset(name, (2, 40, 56), "u2", chunks=(1, 16, 16), fillvalue=7)
        file[name][0, :16, :16] = 9
    data = read_picture(tmp_path / "a.ims").data
    assert np.all(data[0, :16, :16] == 9)
    assert data.sum(dtype=int) == 9 * 256 + 7 * (2 * 40 * 56 - 256)


@pytest.mark.parametrize("kind", ["link", "group", "storage", "virtual"])
def test_other_files_are_not_followed(tmp_path, path, kind):
    write_ims(tmp_path / "secret.ims", STACK)
    name = "DataSet/ResolutionLevel 0/TimePoint 0/Channel 0/Data"
    with h5py.File(path, "r+") as file:
        if kind == "group":
            del file["DataSet"]
            file["DataSet"] = h5py.ExternalLink(str(tmp_path / "secret.ims"), "DataSet")
        else:
            del file[name]
        if kind == "link":
            file[name] = h5py.ExternalLink(str(tmp_path / "secret.ims"), name)
        elif kind == "storage":
            pieces = [(str(tmp_path / "secret.ims"), 0, 3 * 48 * 64)]
            file.create_dataset(name, (3, 48, 64), "u1", external=pieces)
        elif kind == "virtual":
            source = h5py.VirtualSource(str(tmp_path / "secret.ims"), name, (3, 40, 56), "u2")
            layout = h5py.VirtualLayout((3, 40, 56), "u2")
            layout[...] = source
            file.create_virtual_dataset(name, layout)
    with pytest.raises(FileError, match="another file, which is not followed"):
        read_picture(path)


def test_chunk_that_unpacks_to_more_than_a_chunk_is_refused(path):
    import zlib

    name = "DataSet/ResolutionLevel 0/TimePoint 0/Channel 0/Data"
    with h5py.File(path, "r+") as file:
        file[name].id.write_direct_chunk((0, 0, 0), zlib.compress(bytes(10**6)))
    with pytest.raises(FileError, match="damaged"):
        read_picture(path)


def test_image_of_one_small_chunk_that_claims_gigabytes_is_refused(tmp_path):
    write_ims(tmp_path / "a.ims", STACK[:1, :1])
    with h5py.File(tmp_path / "a.ims", "r+") as file:
        group = file["DataSet/ResolutionLevel 0/TimePoint 0/Channel 0"]
        del group["Data"]
        group.create_dataset("Data", (1, 10**6, 10**6), "u1", chunks=(1, 10**4, 10**4))
        for axis, length in zip("ZYX", (1, 10**6, 10**6), strict=True):
            group.attrs[f"ImageSize{axis}"] = np.frombuffer(str(length).encode(), "S1")
    with pytest.raises(FileError, match="bytes claim to hold"):
        read_picture(tmp_path / "a.ims")


def test_file_of_hdf5_that_is_no_imaris_file_is_refused(tmp_path):
    with h5py.File(tmp_path / "a.ims", "w") as file:
        file["x"] = 1
    with pytest.raises(FileError, match="lacks 'DataSet'"):
        read_picture(tmp_path / "a.ims")
