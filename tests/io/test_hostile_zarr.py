"""Damaged and malicious zarr stores: each gives a picture, or a FileError in little memory."""

import bz2
import gzip
import json
import lzma
import os
import pickle
import struct
import tracemalloc
import zlib

import imagecodecs
import numpy as np
import pytest

from napari_defocus.errors import FileError
from napari_defocus.io import read_picture
from napari_defocus.io.read import open_picture

pytest.importorskip("zarr")
posix = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs POSIX pipes")
BOMB = bytes(10**8)
#: Compressed data by codec, which unpack to 100 MB.
BOMBS = {
    "zstd": imagecodecs.zstd_encode(BOMB),
    "blosc": imagecodecs.blosc_encode(BOMB, typesize=1, compressor="zstd"),
    "gzip": gzip.compress(BOMB),
    "zlib": zlib.compress(BOMB),
    "bz2": bz2.compress(BOMB),
    "lz4": imagecodecs.lz4_encode(BOMB, header=True),
    "lzma": lzma.compress(BOMB, preset=0),
}
SIDE = 1024
PLAIN = {"name": "bytes"}


@pytest.fixture
def store(tmp_path):
    folder = tmp_path / "a.zarr"
    folder.mkdir()
    return folder


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"multiscales": 5}, "'multiscales' of its metadata is missing or wrong"),
        ({"datasets": None}, "'datasets' of its metadata is missing or wrong"),
        ({"axes": [{"type": "space"}]}, "'axes' of its metadata is missing or wrong"),
        ({"coordinateTransformations": 5}, "'coordinateTransformations' of its metadata is"),
        ({"datasets": [{"path": "7"}]}, "it lacks '7', which it lists"),
        ({"chunks": [0, SIDE]}, "the size of its chunks is 0"),
    ],
)
def test_messages_name_the_damaged_key(store, changes, words):
    (store / "0").mkdir()
    array_v2(store / "0", chunks=changes.get("chunks", [SIDE, SIDE]))
    image = {"axes": ["y", "x"], "datasets": [{"path": "0"}], **changes}
    (store / ".zgroup").write_text('{"zarr_format": 2}')
    (store / ".zattrs").write_text(json.dumps({"multiscales": [image], **changes}))
    refused(store, words)


def array_v2(folder, content=None, **changes):
    fields = {"zarr_format": 2, "shape": [SIDE, SIDE], "chunks": [SIDE, SIDE], "dtype": "|u1"}
    fields |= {"order": "C", "fill_value": 0, "compressor": None, "filters": None, **changes}
    (folder / ".zarray").write_text(json.dumps(fields))
    if content is not None:
        (folder / "0.0").write_bytes(content)


def array_v3(folder, content, codecs):
    grid = {"name": "regular", "configuration": {"chunk_shape": [SIDE, SIDE]}}
    keys = {"name": "default", "configuration": {"separator": "."}}
    fields = {"zarr_format": 3, "node_type": "array", "shape": [SIDE, SIDE], "data_type": "uint8"}
    fields |= {"chunk_grid": grid, "chunk_key_encoding": keys, "fill_value": 0, "codecs": codecs}
    (folder / "zarr.json").write_text(json.dumps({**fields, "attributes": {}}))
    (folder / "c.0.0").write_bytes(content)


def shards(side, codecs, index_codecs):
    settings = {"chunk_shape": [side, side], "codecs": codecs, "index_codecs": index_codecs}
    return {"name": "sharding_indexed", "configuration": settings}


def refused(folder, words="is damaged"):
    tracemalloc.start()
    try:
        with pytest.raises(FileError, match=words) as error:
            read_picture(folder)
        assert tracemalloc.get_traced_memory()[1] < 5 * 10**7
    finally:
        tracemalloc.stop()
    assert str(error.value).startswith(str(folder))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("codec", ["zstd", "blosc", "gzip", "zlib", "lz4"])
@pytest.mark.parametrize("place", ["compressor", "filters"])
def test_chunk_that_unpacks_to_more_than_a_chunk_is_refused(store, codec, place):
    settings = {"id": codec}
    array_v2(store, BOMBS[codec], **{place: settings if place == "compressor" else [settings]})
    refused(store)


def test_blosc_that_is_cut_off_is_refused(store):
    """The library reads behind the end, which can end the process."""
    content = imagecodecs.blosc_encode(np.arange(SIDE**2, dtype="u1").tobytes(), typesize=1)
    for end in (0, 15, 16, 1000):
        array_v2(store, content[:end], compressor={"id": "blosc"})
        refused(store, "a chunk is not as long as its header says")


@pytest.mark.parametrize("codec", ["bz2", "lzma"])
def test_what_is_behind_the_end_of_a_chunk_is_not_unpacked(store, codec):
    array_v2(store, BOMBS[codec], compressor={"id": codec})
    assert read_picture(store).data.max() == 0


@pytest.mark.parametrize("codec", ["zstd", "blosc", "gzip"])
@pytest.mark.parametrize("sharded", [False, True])
def test_chunk_of_version_3_that_unpacks_to_more_is_refused(store, codec, sharded):
    settings = {
        "zstd": {"level": 1, "checksum": False},
        "gzip": {"level": 1},
        "blosc": {"cname": "zstd", "clevel": 1, "shuffle": "noshuffle", "typesize": 1},
    }
    codecs = [PLAIN, {"name": codec, "configuration": settings[codec]}]
    content = BOMBS[codec]
    if sharded:
        codecs = [shards(SIDE // 2, codecs, [{"name": "bytes"}])]
        content += struct.pack("<QQ", 0, len(content)) * 4
    array_v3(store, content, codecs)
    refused(store)


def test_compressed_bomb_within_a_bomb_is_refused(store):
    unpack = {"name": "gzip", "configuration": {"level": 1}}
    array_v3(store, gzip.compress(BOMBS["gzip"]), [PLAIN, unpack, unpack])
    refused(store)


@pytest.mark.parametrize(
    "sharding",
    [
        shards(1, [PLAIN], [PLAIN]),
        shards(SIDE, [shards(SIDE, [PLAIN], [PLAIN])], [PLAIN]),
        shards(SIDE, [PLAIN], [PLAIN, {"name": "gzip", "configuration": {"level": 1}}]),
    ],
)
def test_shards_of_another_kind_are_refused(store, sharding):
    array_v3(store, bytes(1000), [sharding])
    refused(store, "shards")


@pytest.mark.parametrize(
    "changes",
    [
        {"filters": [{"id": "pickle", "protocol": 5}]},
        {"filters": [{"id": "vlen-utf8"}, {"id": "pickle"}], "dtype": "|O", "fill_value": ""},
        {"filters": [{"id": "json2"}]},
        {"filters": [{"id": "delta", "dtype": "<U100000000", "astype": "|u1"}]},
        {"filters": [{"id": "astype", "encode_dtype": "|u1", "decode_dtype": "<U100000000"}]},
        {"dtype": "|S100000000"},
        {"dtype": [["a", "|u1"]]},
    ],
)
def test_no_codec_runs_code_or_makes_anything_but_numbers(store, changes):
    array_v2(store, pickle.dumps(print), **changes)
    refused(store, "damaged|should hold numbers")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"shape": [10**8, 64, 64], "chunks": [1, 64, 64]}, "bytes claim to hold 381.5 GiB"),
        ({"shape": [10**6, 10**6]}, "bytes claim to hold 931.3 GiB"),
        ({"shape": [40_000, 40_000], "chunks": [40_000, 40_000]}, "claim to hold 1.5 GiB"),
        ({"shape": [2 * 10**6, 2, 2], "chunks": [1, 2, 2]}, "holds 2000000 planes or tiles"),
    ],
)
def test_array_that_claims_too_much_is_refused(store, changes, words):
    array_v2(store, **changes)
    refused(store, words)


@pytest.mark.parametrize(
    "content", ['{"a": ' + "[" * 10**6, '{"a": [' + "{}," * 10**6, "x" * 5 * 10**7]
)
@pytest.mark.parametrize("name", [".zattrs", ".zarray", ".zgroup", "zarr.json"])
def test_metadata_of_great_depth_or_length_are_refused(store, name, content):
    array_v2(store)
    if name == ".zgroup":
        (store / ".zarray").unlink()
    (store / name).write_text(content)
    refused(store, "is a damaged zarr store")


def group(folder, attributes):
    (folder / ".zgroup").write_text('{"zarr_format": 2}')
    (folder / ".zattrs").write_text(json.dumps(attributes))


def multiscales(*paths):
    axes = [{"name": "y"}, {"name": "x"}]
    return {"multiscales": [{"axes": axes, "datasets": [{"path": path} for path in paths]}]}


def test_image_of_very_many_sizes_is_refused(store):
    group(store, multiscales(*["0"] * 100_000))
    refused(store, "it lists 100000 sizes of an image")


def test_groups_within_groups_are_not_followed(store):
    folder = store
    for _ in range(50):
        group(folder, {"bioformats2raw.layout": 3})
        folder /= "0"
        folder.mkdir()
    refused(store, "a zarr group of 0 arrays")


def test_group_of_very_many_arrays_is_refused(store):
    group(store, {})
    for number in range(1001):
        (store / str(number)).mkdir()
    refused(store, "a zarr group of very many arrays")


@posix
@pytest.mark.parametrize("linked", ["chunk", "array"])
def test_links_out_of_a_store_are_not_followed(tmp_path, store, linked):
    outside = tmp_path / "outside.zarr"
    outside.mkdir()
    array_v2(outside, bytes(SIDE**2))
    if linked == "chunk":
        array_v2(store)
        (store / "0.0").symlink_to(outside / "0.0")
    else:
        group(store, multiscales("0"))
        (store / "0").symlink_to(outside)
    refused(store, "is a link out of the store, and is not followed")


@pytest.mark.parametrize(
    "path", ["../outside.zarr", "/{folder}/outside.zarr", "0/../../outside.zarr"]
)
def test_paths_out_of_a_store_are_not_followed(tmp_path, store, path):
    outside = tmp_path / "outside.zarr"
    outside.mkdir()
    array_v2(outside, bytes(SIDE**2))
    group(store, multiscales(path.format(folder=tmp_path)))
    with pytest.raises(FileError):
        read_picture(store)


@posix
@pytest.mark.parametrize("name", ["0.0", ".zarray", ".zattrs"])
def test_special_files_in_a_store_are_refused_at_once(store, name):
    array_v2(store)
    (store / name).unlink(missing_ok=True)
    os.mkfifo(store / name)
    refused(store, "it is a pipe or a device, not a file")
    (store / name).unlink()
    (store / name).symlink_to("/dev/zero")
    refused(store, "it is a pipe or a device, not a file")


def test_chunk_longer_than_it_should_be_is_not_read(store):
    array_v2(store, b"")
    os.truncate(store / "0.0", 2**32)
    refused(store, "0.0 holds 4294967296 bytes, more than it should")


def test_large_store_is_read_block_by_block(store):
    """Of 40 GB, of which three chunks are stored, no more is read than is asked for."""
    array_v2(store, np.full((SIDE, SIDE), 7, "u1").tobytes(), shape=[200_000, 200_000])
    (store / "1.1").write_bytes(bytes(SIDE**2))
    picture = open_picture(store)
    tracemalloc.start()
    assert picture.data[1020:1028, 1000:1010].compute().tolist()[3:5] == [[7] * 10, [0] * 10]
    assert tracemalloc.get_traced_memory()[1] < 2 * 10**7
    tracemalloc.stop()


def test_pixels_count_by_what_their_folder_holds(store):
    """A folder's own size says nothing about the files in it."""
    array_v2(store, bytes(SIDE**2), shape=[SIDE * 16, SIDE * 9])
    assert read_picture(store).data.nbytes == SIDE**2 * 144
