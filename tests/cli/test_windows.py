"""Commands on images that stay in their files."""

import json
import re

import numpy as np
import pytest

from napari_defocus.cli import inputs
from napari_defocus.io import open_picture, read_picture, write_picture
from napari_defocus.io.atomic import find_scratch_folders
from napari_defocus.io.picture import Length, Metadata, Picture

from .conftest import blobs

pytest.importorskip("zarr")

SIZES = Metadata(pixel_size={"Y": Length(0.5, "micrometer"), "X": Length(0.5, "micrometer")})
REFOCUS = ["--focus", 1, "--aperture", 0.5]


@pytest.fixture
def stack(tmp_path):
    """Two planes, as a zarr store and as a TIFF file."""
    data = (blobs(2, 40, 48) * 4000).astype(np.uint16)
    for name in ("a.zarr", "a.ome.tif"):
        write_picture(tmp_path / name, data, Picture(data, "ZYX", SIZES))
    return tmp_path


@pytest.fixture
def lazily(monkeypatch):
    """Treat every image in a zarr store as large."""
    monkeypatch.setattr(inputs, "LARGE", 0)


def values(path):
    return read_picture(path).data.astype(float)


def test_a_store_is_mapped_as_the_same_image_in_memory(run, stack, lazily):
    a, b = stack / "a.zarr", stack / "a.ome.tif"
    for image, name in ((a, "windows"), (b, "memory")):
        confidence = ["--confidence-out", stack / f"{name}-c.ome.tif"]
        completed = run("map", image, stack / f"{name}.ome.tif", *confidence)
        assert completed.status == 0
        assert re.fullmatch("Note: the median radius in .* px = .* µm.*\n", completed.err)
        assert completed.out == f"{stack / name}.ome.tif\n{stack / name}-c.ome.tif\n"
    for end in (".ome.tif", "-c.ome.tif"):
        in_windows, in_memory = values(stack / f"windows{end}"), values(stack / f"memory{end}")
        np.testing.assert_allclose(in_windows, in_memory, atol=1e-3)
    picture = open_picture(stack / "windows.ome.tif")
    assert (picture.axes, picture.metadata.pixel_size["X"].value) == ("ZYX", 0.5)
    assert (
        json.loads((stack / "windows.ome.tif.json").read_text())["function"] == "estimate_defocus"
    )
    assert not find_scratch_folders(stack)


@pytest.mark.parametrize("command", [["deblur"], ["refocus", *REFOCUS]])
def test_a_store_is_restored_as_the_same_image_in_memory(run, stack, lazily, command):
    in_windows, in_memory = stack / "windows.zarr", stack / "memory.tif"
    assert run(*command, stack / "a.zarr", in_windows).status == 0
    assert run(*command, stack / "a.ome.tif", in_memory).status == 0
    np.testing.assert_allclose(values(in_windows), values(in_memory), atol=1)
    assert read_picture(in_windows).data.dtype == np.uint16
    record = json.loads((stack / "windows.zarr.json").read_text())
    assert record["function"] == command[0]
    assert not find_scratch_folders(stack)


def test_maps_that_stay_in_their_files_are_used(run, stack, lazily):
    radius = np.linspace(0, 6, 2 * 40 * 48, dtype=np.float32).reshape(2, 40, 48)
    for name in ("radius.zarr", "radius.ome.tif"):
        write_picture(stack / name, radius)
    sharp = ["--sharp", *REFOCUS]
    for command, options in (("deblur", []), ("refocus", sharp)):
        for ending in ("zarr", "ome.tif"):
            map_ = ["--map", stack / f"radius.{ending}"]
            out = stack / f"{command}.{ending}"
            completed = run(command, stack / f"a.{ending}", out, *map_, *options)
            assert completed.status == 0, completed
        written = values(stack / f"{command}.zarr")
        np.testing.assert_allclose(written, values(stack / f"{command}.ome.tif"), atol=1)


def test_a_preview_of_a_store_is_a_tiff_file(run, tmp_path, lazily):
    write_picture(tmp_path / "a.zarr", (blobs(40, 48) * 4000).astype(np.uint16))
    write_picture(tmp_path / "a.tif", (blobs(40, 48) * 4000).astype(np.uint16))
    refused = run("map", tmp_path / "a.zarr", "--preview-out", tmp_path / "p.png")
    assert "cannot hold what is too large for memory; write a .tif" in refused.error
    for image, out in (("a.zarr", "p.tif"), ("a.tif", "q.tif")):
        options = ["--preview-out", tmp_path / out, "--overwrite"]
        assert run("map", tmp_path / image, *options).status == 0
    np.testing.assert_allclose(values(tmp_path / "p.tif"), values(tmp_path / "q.tif"), atol=2)


def test_small_stores_are_read_into_memory(run, stack):
    completed = run("deblur", stack / "a.zarr", stack / "sharp.zarr")
    assert completed.status == 0
    record = json.loads((stack / "sharp.zarr.json").read_text())
    assert record["input"]["hash"].startswith("sha256:")


def test_info_of_a_store(run, tmp_path):
    data = (blobs(300, 400) * 4000).astype(np.float32)
    data[3, :2] = np.nan, 9000
    write_picture(tmp_path / "a.zarr", data)
    completed = run("info", tmp_path / "a.zarr")
    assert completed.status == 0
    assert f"{data[np.isfinite(data)].min():g} to 9000" in completed.out
    assert "1 values" in completed.out
    size = sum(path.stat().st_size for path in (tmp_path / "a.zarr").rglob("*") if path.is_file())
    assert f"({size / 1e3:.1f} kB)" in completed.out


def test_files_that_a_killed_command_left_are_removed(run, photo):
    left = photo.parent / ".napari-defocus-0123456789abcdef.part"
    left.mkdir()
    assert run("map", photo).status == 0
    assert not left.exists()
