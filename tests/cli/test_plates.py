"""Commands on images within OME-Zarr plates."""

import pytest

from napari_defocus.io import read_picture

from ..ngff_stores import pixels, set_attributes, write_image, write_plate

pytest.importorskip("zarr")


@pytest.fixture
def plate(tmp_path):
    return write_plate(tmp_path / "p.ome.zarr", ["A/1", "B/2"], fields=2, data=pixels())


def test_info_lists_the_images_of_a_plate(run, plate):
    shown = run("info", plate).out
    assert "a plate of 2 rows and 2 columns: 2 wells with 4 images" in shown
    assert "A/1/0, A/1/1, B/2/0, B/2/1" in shown
    assert f"left out    {plate / 'B/2/1'}" not in shown
    assert f"a further image, {plate / 'B/2/1'}" in run("info", plate / "B" / "2").out


def test_a_field_is_mapped_beside_its_plate(run, plate, tmp_path):
    assert run("map", plate / "B" / "2" / "1").out.strip() == str(tmp_path / "p-B-2-1-defocus.tif")
    refused = run("map", plate / "B/2/1", plate / "B" / "2" / "map.tif")
    assert "lies within the zarr store" in refused.error
    assert "such as" in run("deblur", plate).error


def test_labels_that_a_result_lacks_are_said(run, tmp_path):
    store = write_image(tmp_path / "a.zarr")
    set_attributes(store, "labels", "0.4", labels=["cells"])
    write_image(store, "labels/cells", data=pixels(dtype="u1"))
    note = run("map", store, tmp_path / "m.tif").err
    assert "also holds the label image cells, left out here" in note
    assert run("deblur", store, tmp_path / "b.zarr").err == ""
    assert read_picture(tmp_path / "b.zarr" / "labels" / "cells").data.dtype == "u1"


def test_the_range_of_a_single_field_is_said_to_be_its_own(run, plate, tmp_path):
    words = f"has its own black and white here; a batch of {plate} takes the same for all"
    assert words in run("map", plate / "B/2/1", tmp_path / "a.tif").err
    chosen = run("map", plate / "B/2/1", tmp_path / "b.tif", "--value-range", "0", "900")
    assert words not in chosen.err
    assert words not in run("map", write_image(tmp_path / "c.zarr")).err
