"""Radii in micrometers on the command line, where the file says the size of its pixels."""

import json

import numpy as np
import pytest

from napari_defocus.io import read_picture, write_picture
from napari_defocus.io.picture import Length, Metadata, Picture
from napari_defocus.map_statistics import map_statistics

from .conftest import blobs


@pytest.fixture
def micrograph(tmp_path):
    """An OME-TIFF file of 40 x 48 pixels of 0.5 µm."""
    data = (blobs(40, 48) * 4000).astype(np.uint16)
    sizes = {"Y": Length(500.0, "nm"), "X": Length(0.5, "µm")}
    write_picture(tmp_path / "a.ome.tif", data, Picture(data, "YX", Metadata(pixel_size=sizes)))
    return tmp_path / "a.ome.tif"


def test_maps_are_written_in_pixels_or_micrometers(run, micrograph, tmp_path):
    sure = ["--confidence-out", tmp_path / "sure.tif"]
    note = run("map", micrograph, tmp_path / "px.tif", *sure).err
    assert run("map", micrograph, tmp_path / "um.tif", "--unit", "um").status == 0
    pixels, scaled = (read_picture(tmp_path / f"{unit}.tif").data for unit in ("px", "um"))
    np.testing.assert_allclose(scaled, pixels * 0.5, rtol=1e-6)
    median = map_statistics(pixels, read_picture(tmp_path / "sure.tif").data).median_radius
    assert f"{median:.3g} px = {median / 2:.3g} µm" in note
    radii = json.loads((tmp_path / "um.tif.json").read_text(encoding="utf-8"))["radii"]
    assert (radii["unit"], radii["pixel_size_um"]) == ("um", [0.5, 0.5])
    assert radii["median_um"] == pytest.approx(median / 2)
    shown = run("info", tmp_path / "um.tif").out
    assert "micrometers" in shown
    assert f"{median:.3g} px = {median / 2:.3g} µm" in shown


def test_a_map_without_a_sure_radius_says_so(run, tmp_path):
    data = np.random.default_rng(0).poisson(4, (40, 48)).astype(np.uint16)
    sizes = {"Y": Length(500.0, "nm"), "X": Length(0.5, "µm")}
    write_picture(tmp_path / "a.ome.tif", data, Picture(data, "YX", Metadata(pixel_size=sizes)))
    assert "nothing to judge by" in run("map", tmp_path / "a.ome.tif", tmp_path / "m.tif").err
    record = json.loads((tmp_path / "m.tif.json").read_text(encoding="utf-8"))["radii"]
    assert record["median_px"] is record["median_um"] is None
    assert "no radius is sure" in run("info", tmp_path / "m.tif").out


def test_maps_in_micrometers_are_read_in_pixels(run, micrograph, tmp_path):
    for unit in ("px", "um"):
        run("map", micrograph, tmp_path / f"{unit}.tif", "--unit", unit)
        run("deblur", micrograph, tmp_path / f"{unit}-sharp.tif", "--map", tmp_path / f"{unit}.tif")
    results = [read_picture(tmp_path / f"{unit}-sharp.tif").data for unit in ("px", "um")]
    np.testing.assert_allclose(results[0].astype(int), results[1], atol=1)
    (tmp_path / "um.tif.json").write_text('{"radii": {"unit": "um", "median_px": 1}}')
    refused = run("deblur", micrograph, tmp_path / "b.tif", "--map", tmp_path / "um.tif")
    assert "not how large a pixel is" in refused.error


def test_large_maps_are_scaled_window_by_window(run, micrograph, tmp_path, monkeypatch):
    pytest.importorskip("zarr")
    picture = read_picture(micrograph)
    write_picture(tmp_path / "a.zarr", picture.data, picture)
    run("map", tmp_path / "a.zarr", tmp_path / "px.zarr")
    monkeypatch.setattr("napari_defocus.cli.inputs.LARGE", 1)
    monkeypatch.setattr("napari_defocus.physical_size._SIDE", 32)
    preview = tmp_path / "colors.tif"
    assert run("map", tmp_path / "a.zarr", tmp_path / "um.zarr", "--unit", "um",
               "--preview-out", preview).status == 0  # fmt: skip
    pixels, scaled = (read_picture(tmp_path / f"{unit}.zarr").data for unit in ("px", "um"))
    np.testing.assert_allclose(scaled, pixels * 0.5, atol=1e-3)
    assert read_picture(preview).data.shape == (*pixels.shape, 3)


def test_micrometers_of_an_image_without_a_size_are_refused(run, photo, tmp_path):
    refused = run("map", photo, tmp_path / "b.tif", "--unit", "um")
    assert "photo.jpg does not say the size of its pixels" in refused.error
    assert run("map", photo, tmp_path / "b.tif").err == ""


def test_pixels_that_are_not_square_are_said(run, tmp_path):
    data = (blobs(40, 48) * 4000).astype(np.uint16)
    sizes = {"Y": Length(2.0, "um"), "X": Length(0.5, "um")}
    write_picture(tmp_path / "a.ome.tif", data, Picture(data, "YX", Metadata(pixel_size=sizes)))
    assert "geometric means of those along Y and X" in run("map", tmp_path / "a.ome.tif").err
    assert "2 x 0.5 µm; radii" in run("info", tmp_path / "a.ome.tif").out
