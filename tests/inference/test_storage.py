"""Storage of intermediate planes, in memory and on disk."""

import shutil

import numpy as np
import pytest

from napari_defocus.errors import FileError
from napari_defocus.inference.storage import (
    DiskStorage,
    MemoryStorage,
    block_side,
    folder_of,
    storage_for,
)
from napari_defocus.io.atomic import find_scratch_folders


@pytest.fixture
def blocks(tmp_path):
    """Blocks of 128 pixels, kept in files."""
    return DiskStorage(tmp_path, 128)


def test_files_hold_their_values_and_blocks_keep_their_size(blocks):
    store = blocks.array((2, 300, 400))
    assert not store[:, 100:120, 7:9].any()
    store[:1, 299:, 390:] = np.full((1, 1, 10), 5)
    assert store[:1, :, :].sum() == store[0, 299, 380:].sum() == 50
    assert [len(blocks.blocks((256, side), 8)) for side in (128, 256, 1280)] == [2, 4, 20]


@pytest.mark.parametrize("on_disk", [False, True])
def test_computed_planes_are_computed_once(blocks, on_disk):
    storage = blocks if on_disk else MemoryStorage()
    counts = np.zeros((300, 400), int)

    def compute(rows, columns):
        counts[rows, columns] += 1
        return np.ones((1, *counts[rows, columns].shape), np.float32)

    planes = storage.compute((1, 300, 400), compute)
    assert planes[:, :, :].sum() == planes[:, :, :].sum() == 300 * 400
    assert counts.min() == counts.max() == 1


def test_files_lie_beside_the_output(tmp_path, monkeypatch):
    monkeypatch.delenv("TMPDIR", raising=False)
    out = np.memmap(tmp_path / "out.raw", np.uint8, "w+", shape=(3000, 3000))
    with storage_for(out.shape, "auto", out) as storage:
        storage.array((1, 8, 8))
        assert len(list(tmp_path.iterdir())) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["out.raw"]


def test_a_full_disk_is_named_with_a_way_out(blocks, tmp_path):
    resource = pytest.importorskip("resource")
    store = blocks.array((1, 300, 400))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        for write in (
            lambda: blocks.array((1, 300, 400)),
            lambda: store.__setitem__(np.s_[:, :1, :], np.ones((1, 1, 400), np.float32)),
        ):
            with pytest.raises(FileError) as error:
                write()
            assert f"{tmp_path} cannot hold 0.00048 GB" in str(error.value)
            assert "set TMPDIR to another folder" in str(error.value)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_files_that_a_killed_process_left_are_removed(tmp_path, monkeypatch):
    monkeypatch.delenv("TMPDIR", raising=False)
    out = np.memmap(tmp_path / "out.raw", np.uint8, "w+", shape=(3000, 3000))
    with storage_for(out.shape, "auto", out) as storage:
        storage.array((1, 8, 8))
        (folder,) = find_scratch_folders(tmp_path)
        shutil.copytree(folder, tmp_path / "copy")
    (tmp_path / "copy").rename(folder)  # as it is when the process is killed
    with storage_for(out.shape, "auto", out):
        (other,) = find_scratch_folders(tmp_path)
        assert other != folder


def test_tmpdir_wins(tmp_path, monkeypatch):
    import tempfile

    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.setenv("TMPDIR", str(elsewhere))
    monkeypatch.setattr(tempfile, "tempdir", None)
    out = np.memmap(tmp_path / "out.raw", np.uint8, "w+", shape=(3000, 3000))
    with storage_for(out.shape, "auto", out) as storage:
        storage.array((1, 8, 8))
        assert len(list(elsewhere.iterdir())) == 1


def test_folder_of_a_zarr_array_is_that_of_its_store(tmp_path):
    zarr = pytest.importorskip("zarr")
    array = zarr.create_array(tmp_path / "out.zarr", shape=(8, 8), dtype="u1")
    assert folder_of(array) == tmp_path
    assert folder_of(zarr.create_array({}, shape=(8, 8), dtype="u1")) is None


@pytest.mark.parametrize(
    "index", [np.s_[:, :, :], np.s_[0, 5:, ::3], np.s_[1:, ::7, 9:200], np.s_[:, 3, 4:9]]
)
def test_windows_of_files_are_read_part_by_part(blocks, monkeypatch, index):
    monkeypatch.setattr("napari_defocus.inference.storage._MAPPED", 10_000)
    values = np.random.default_rng(0).random((2, 300, 400), np.float32)
    store = blocks.array(values.shape)
    store[:, :, :] = values
    np.testing.assert_array_equal(store[index], values[index])


def test_blocks_of_large_planes_are_smaller():
    sides = [block_side((3, *shape), "auto") for shape in ((2000, 3000), (2000, 4000))]
    assert sides == [2048, 1024]
    assert block_side((9000, 9000), 128) == 512
    assert block_side((9000, 9000), None) == 1024
