"""zarr stores and large TIFF files: lazy reading, OME-NGFF metadata, atomic writing."""

import errno
import json
import re
import threading
import time
import tracemalloc
from contextlib import suppress

import numpy as np
import pytest
import tifffile

from napari_defocus.errors import FileError
from napari_defocus.io import open_picture, read_picture, tiff_write, write_picture
from napari_defocus.io.atomic import find_scratch_folders
from napari_defocus.io.picture import Length, Metadata, Picture, Storage
from napari_defocus.io.streaming import open_streaming

zarr = pytest.importorskip("zarr")


def stack(shape=(2, 3, 40, 56), dtype=np.uint16):
    return np.random.default_rng(0).integers(0, 200, shape).astype(dtype)


def image(path, data, axes, *, version="0.5", group="", **fields):
    """Write an OME-Zarr image without the code under test."""
    v2 = version == "0.4"
    root = zarr.open_group(str(path), mode="a", zarr_format=2 if v2 else 3, path=group)
    array = root.create_array(
        "full", shape=data.shape, dtype=data.dtype, chunks=(1,) * (data.ndim - 2) + (16, 16)
    )
    array[...] = data
    scale = {"type": "scale", "scale": [0.5] * data.ndim}
    units = {"x": "micrometer", "y": "micrometer", "z": "micrometer", "t": "second"}
    axis_fields = [{"name": a, **({"unit": units[a]} if a in units else {})} for a in axes]
    dataset = {"path": "full", "coordinateTransformations": [scale]}
    scales = [{"axes": axis_fields, "datasets": [dataset], "version": version}]
    omero = {"channels": [{"label": "DAPI"}, {"label": "GFP"}, {"label": ""}]}
    content = {"multiscales": scales, "omero": omero, **fields}
    root.attrs.update(content if v2 else {"ome": {"version": version, **content}})
    return path


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_ome_zarr_is_read_with_axes_sizes_and_channel_names(tmp_path, version):
    path = image(tmp_path / "a.ome.zarr", stack(), "tcyx", version=version)
    picture = open_picture(path)
    assert type(picture.data).__module__.startswith("dask")
    assert picture.axes == "TCYX"
    assert picture.channel_axis is None
    assert picture.metadata.pixel_size["Y"] == Length(0.5, "micrometer")
    assert picture.metadata.pixel_size["T"] == Length(0.5, "second")
    assert picture.metadata.channel_names == ("DAPI", "GFP", "")
    np.testing.assert_array_equal(picture.data.compute(), stack())
    np.testing.assert_array_equal(read_picture(path).data, stack())


@pytest.mark.parametrize("zarr_format", [2, 3])
@pytest.mark.parametrize("dtype", [np.uint8, ">u2", np.float32])
def test_plain_array_is_read_as_planes(tmp_path, zarr_format, dtype):
    path = tmp_path / "a.zarr"
    data = stack(dtype=dtype)
    made = zarr.create_array(str(path), shape=data.shape, dtype=data.dtype, zarr_format=zarr_format)
    made[...] = data
    picture = read_picture(path)
    assert picture.axes == "QQYX"
    assert picture.data.dtype.isnative
    np.testing.assert_array_equal(picture.data, data)


def test_dimension_names_become_axes(tmp_path):
    path = tmp_path / "a.zarr"
    names = ["z", "y", "x"]
    zarr.create_array(str(path), shape=(2, 9, 9), dtype="u1", dimension_names=names)
    assert read_picture(path).axes == "ZYX"


def test_first_image_of_bioformats2raw_is_read(tmp_path):
    path = tmp_path / "a.zarr"
    zarr.open_group(str(path), mode="w", attributes={"ome": {"bioformats2raw.layout": 3}})
    image(path, stack(), "tcyx", group="0")
    np.testing.assert_array_equal(read_picture(path).data, stack())


def broken(path, kind):
    if kind == "empty":
        path.mkdir()
    elif kind == "json":
        path.mkdir()
        (path / "zarr.json").write_text("{")
    elif kind == "group":
        zarr.open_group(str(path), mode="w")
    elif kind == "plate":
        zarr.open_group(str(path), mode="w", attributes={"ome": {"plate": {}}})
    elif kind == "scales":
        zarr.open_group(str(path), mode="w", attributes={"multiscales": [{"axes": "?"}]})
    elif kind == "axes":
        image(path, stack(), "tyx")
    elif kind == "order":
        image(path, stack(), "yxct")
    return path


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("empty", "is no zarr store"),
        ("json", "is a damaged zarr store"),
        ("group", "is a zarr group of 0 arrays"),
        ("plate", "is a plate of many images"),
        ("scales", "is a damaged zarr store"),
        ("axes", "damaged: .*3 axes|a scale of 4 numbers for 3 axes"),
        ("order", "the last should be Y and X"),
    ],
)
def test_store_without_an_image_is_refused(tmp_path, kind, words):
    with pytest.raises(FileError, match=words):
        read_picture(broken(tmp_path / "a.zarr", kind))


def test_damaged_pixels_raise_a_file_error_when_computed(tmp_path):
    path = image(tmp_path / "a.zarr", stack(), "tcyx")
    for chunk in (path / "full" / "c").rglob("[0-9]"):
        if chunk.is_file():
            chunk.write_bytes(b"damaged")
    picture = open_picture(path)
    with pytest.raises(FileError, match="a.zarr is damaged or truncated"):
        picture.data.compute()


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_written_image_is_read_back_with_its_metadata(tmp_path, version):
    source = open_picture(image(tmp_path / "a.ome.zarr", stack(), "tcyx", version=version))
    write_picture(tmp_path / "b.ome.zarr", stack() + 1, source)
    back = open_picture(tmp_path / "b.ome.zarr")
    np.testing.assert_array_equal(back.data.compute(), stack() + 1)
    assert (back.axes, back.metadata) == (source.axes, source.metadata)


@pytest.mark.parametrize("version", ["0.4", "0.5"])
@pytest.mark.parametrize(("dtype", "codec"), [("f4", "lz4"), ("u2", "lz4"), ("u1", "zstd")])
def test_pixels_are_compressed_by_blosc_and_reproducible(tmp_path, version, dtype, codec):
    smooth = np.add.outer(np.arange(600), np.arange(600)).astype(dtype)
    like = Picture(smooth, "YX", Metadata(ngff={"version": version}))
    for folder in "ab":
        (tmp_path / folder).mkdir()
        write_picture(tmp_path / folder / "x.zarr", smooth, like)
    one, two = (
        {
            path.relative_to(folder): path.read_bytes()
            for path in folder.rglob("*")
            if path.is_file()
        }
        for folder in (tmp_path / "a", tmp_path / "b")
    )
    assert one == two
    assert sum(map(len, one.values())) < smooth.nbytes / 3
    for level in "01":
        array = zarr.open_array(str(tmp_path / "a" / "x.zarr" / level), mode="r")
        (used,) = array.compressors
        assert type(used).__name__.startswith("Blosc")
        assert codec in str(used.cname)


def test_large_image_gets_smaller_copies_at_the_right_place(tmp_path):
    ramp = np.add.outer(np.arange(701), np.arange(1100)).astype(np.uint16)
    metadata = Metadata(pixel_size={"Y": Length(2.0, "µm"), "X": Length(1.0, "µm")})
    picture = Picture(ramp, "YX", metadata)
    with open_streaming(tmp_path / "a.zarr", picture) as target:
        target.array[:300] = ramp[:300]
        target.array[300:] = ramp[300:]
        assert not (tmp_path / "a.zarr").exists()
        assert len(list(target.complete())) == 2
    group = zarr.open_group(str(tmp_path / "a.zarr"), mode="r")
    scales = group.attrs["ome"]["multiscales"][0]
    assert [axis["unit"] for axis in scales["axes"]] == ["micrometer"] * 2
    assert [group[one["path"]].shape for one in scales["datasets"]] == [
        (701, 1100),
        (351, 550),
        (176, 275),
    ]
    scale, shift = scales["datasets"][2]["coordinateTransformations"]
    assert (scale["scale"], shift["translation"]) == ([8.0, 4.0], [3.0, 1.5])
    np.testing.assert_allclose(group["2"][:100, :100], ramp[:400:4, :400:4] + 3, atol=1)


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_written_metadata_pass_an_independent_schema(tmp_path, version):
    yaozarrs = pytest.importorskip("yaozarrs")
    sizes = {"T": Length(2.0, "sec"), "Z": Length(1.5, "micron"), "Y": Length(0.5, "µm")}
    like = Picture(
        stack((2, 3, 4, 600, 20)), "TCZYX", Metadata(pixel_size=sizes, ngff={"version": version})
    )
    write_picture(tmp_path / "a.zarr", like.data, like)
    attributes = dict(zarr.open_group(str(tmp_path / "a.zarr"), mode="r").attrs)
    if version == "0.5":
        image = yaozarrs.v05.Image.model_validate(attributes["ome"])
    else:
        image = yaozarrs.v04.Image.model_validate(attributes)
    axes = image.multiscales[0].axes
    assert [axis.name for axis in axes] == ["t", "c", "z", "y", "x"]
    assert [axis.unit for axis in axes] == ["second", None, "micrometer", "micrometer", None]
    scale, _ = image.multiscales[0].datasets[1].coordinateTransformations
    assert scale.scale == [2.0, 1.0, 1.5, 1.0, 2.0]


def test_failed_writing_leaves_nothing_behind(tmp_path):
    write_picture(tmp_path / "a.zarr", stack())
    with pytest.raises(FileError, match="exists already"):
        write_picture(tmp_path / "a.zarr", stack())
    with (
        pytest.raises(ZeroDivisionError),
        open_streaming(tmp_path / "a.zarr", Picture(stack(), "TCYX"), overwrite=True),
    ):
        raise ZeroDivisionError
    np.testing.assert_array_equal(read_picture(tmp_path / "a.zarr").data, stack())
    assert not find_scratch_folders(tmp_path)
    write_picture(tmp_path / "a.zarr", stack() + 1, overwrite=True)
    np.testing.assert_array_equal(read_picture(tmp_path / "a.zarr").data, stack() + 1)
    assert [path.name for path in tmp_path.iterdir()] == ["a.zarr"]


def test_colors_are_refused(tmp_path):
    with pytest.raises(FileError, match="cannot hold colors"):
        write_picture(tmp_path / "a.zarr", np.zeros((8, 8, 3), np.uint8), channel_axis=-1)


def test_unnamed_planes_become_z_and_t(tmp_path):
    write_picture(tmp_path / "a.zarr", stack())
    document = json.loads((tmp_path / "a.zarr" / "zarr.json").read_text(encoding="utf-8"))
    axes = document["attributes"]["ome"]["multiscales"][0]["axes"]
    assert [axis["name"] for axis in axes] == ["z", "t", "y", "x"]


@pytest.mark.parametrize("color", [False, True])
def test_large_tiff_is_read_and_written_window_by_window(tmp_path, color):
    data = stack((2, 70, 90, 3) if color else (2, 70, 90))
    kept = Metadata(ome=None, pixel_size={"X": Length(0.5, "µm"), "Y": Length(0.5, "µm")})
    source = Picture(data, "ZYXS" if color else "ZYX", kept)
    write_picture(tmp_path / "a.ome.tif", data, source)
    lazy = open_picture(tmp_path / "a.ome.tif", lazy_from=1)
    assert type(lazy.data).__module__.startswith("dask")
    np.testing.assert_array_equal(lazy.data.compute(), data)
    with open_streaming(tmp_path / "b.ome.tif", lazy) as target:
        target.array[...] = data[:]
        list(target.complete())
    back = read_picture(tmp_path / "b.ome.tif")
    np.testing.assert_array_equal(back.data, data)
    assert back.axes == source.axes
    assert back.metadata.pixel_size["X"] == Length(0.5, "µm")
    assert not find_scratch_folders(tmp_path)


#: A picture of 100 tiles, which are read one by one.
TILED = Picture(stack((1600, 16)), "YX", Metadata(storage=Storage(compression=8, tile=(16, 16))))


@pytest.fixture
def reading(monkeypatch):
    """Call a function before each read of the pixels of a TIFF file that is being written."""
    read = tiff_write._Stoppable.__getitem__
    monkeypatch.setattr(tiff_write, "_YIELD_INTERVAL", 0.01)

    def before(call):
        monkeypatch.setattr(
            tiff_write._Stoppable, "__getitem__", lambda *args: (call(), read(*args))[1]
        )

    return before


def test_writing_a_large_tiff_yields_often(tmp_path, reading):
    reading(lambda: time.sleep(0.005))
    with open_streaming(tmp_path / "a.tif", TILED) as target:
        target.array[...] = TILED.data
        assert len(list(target.complete())) >= 5
    np.testing.assert_array_equal(read_picture(tmp_path / "a.tif").data, TILED.data)


def test_writing_a_large_tiff_stops_when_closed(tmp_path, reading, monkeypatch):
    reads, threads, write = [], [], tiff_write.write_tiff
    reading(lambda: (reads.append(1), time.sleep(0.005)))

    def watch(*args, **options):
        threads.append(threading.current_thread())
        write(*args, **options)

    monkeypatch.setattr(tiff_write, "write_tiff", watch)
    with suppress(KeyboardInterrupt), open_streaming(tmp_path / "a.tif", TILED) as target:
        steps = target.complete()
        next(steps)
        steps.close()
        assert [thread.is_alive() for thread in threads] == [False]
        assert 0 < len(reads) < 100
        raise KeyboardInterrupt
    assert not list(tmp_path.iterdir())


def test_failure_while_writing_a_large_tiff_is_reported(tmp_path, reading):
    def fail():
        raise OSError(errno.ENOSPC, "No space left on device")

    reading(fail)
    with (
        pytest.raises(FileError, match="a.tif cannot be written: No space left on device"),
        open_streaming(tmp_path / "a.tif", TILED) as target,
    ):
        list(target.complete())
    assert not list(tmp_path.iterdir())


def test_large_and_small_ome_tiff_get_the_same_uuid(tmp_path):
    data = stack((2, 700, 20))
    picture = Picture(data, "ZYX")
    with open_streaming(tmp_path / "a.ome.tif", picture) as target:
        target.array[...] = data
        list(target.complete())
    write_picture(tmp_path / "b.ome.tif", data, picture)
    names = []
    for path in sorted(tmp_path.iterdir()):
        with tifffile.TiffFile(path) as tiff:
            names += re.findall("urn:uuid:[-0-9a-f]+", tiff.ome_metadata)
    assert len(set(names)) == 1


def test_large_ome_tiff_is_written_in_little_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(tiff_write, "_PASS", 2**20)
    picture = Picture(np.broadcast_to(np.uint8(0), (16, 1024, 1024)), "ZYX")
    with open_streaming(tmp_path / "a.ome.tif", picture) as target:
        tracemalloc.start()
        list(target.complete())
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < picture.data.nbytes / 2
