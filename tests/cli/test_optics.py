"""Optics on the command line: taken from a file, overridden, said and recorded."""

import json

import numpy as np
import pytest
import tifffile

OPTICS = "na=0.5,wavelength_um=0.6,pixel_size_um=0.5"
OME = {"axes": "YX", "PhysicalSizeX": 0.5, "PhysicalSizeY": 0.5}


@pytest.fixture
def micrograph(tmp_path):
    rng = np.random.default_rng(0)
    cells = np.kron(rng.random((16, 16)) < 0.2, np.ones((8, 8))) * 900 + 100
    path = tmp_path / "cells.ome.tif"
    tifffile.imwrite(path, rng.poisson(cells).astype(np.uint16), metadata=OME)
    return path


@pytest.fixture
def record(run, micrograph, tmp_path):
    def make(*words):
        out = tmp_path / "map.tif"
        shown = run("map", micrograph, out, *words, "--overwrite").err
        return shown, json.loads((tmp_path / "map.tif.json").read_text())["parameters"]["optics"]

    return make


def test_optics_are_recorded_and_depth_is_told(record):
    shown, optics = record("--optics", OPTICS)
    assert optics == "na=0.5,wavelength_um=0.6,pixel_size_um=0.5,index=1"
    assert "µm out of focus" in shown


def test_a_file_adds_what_a_user_leaves_out(record):
    _, optics = record("--optics", "na=0.5,wavelength_um=0.6")
    assert optics == "na=0.5,wavelength_um=0.6,pixel_size_um=0.5,index=1"


def test_without_aperture_and_wavelength_nothing_is_made_up(record):
    shown, optics = record()
    assert optics == "auto"
    assert "out of focus" not in shown


def test_an_empty_field_is_told_to_show_nothing(run, tmp_path):
    empty = np.random.default_rng(0).poisson(50, (160, 160)).astype(np.uint16)
    tifffile.imwrite(tmp_path / "empty.tif", empty)
    shown = run("map", tmp_path / "empty.tif", tmp_path / "map.tif")
    assert "nothing to judge by" in shown.err


def test_optics_that_stay_incomplete_are_refused(run, tmp_path):
    tifffile.imwrite(tmp_path / "plain.tif", np.eye(64, dtype=np.uint16))
    words = ("--optics", "na=0.5")
    assert "pixel_size_um" in run("map", tmp_path / "plain.tif", tmp_path / "m.tif", *words).error
