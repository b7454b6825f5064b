"""Radii in micrometers in the results and the report of a batch."""

import csv
import json

import numpy as np
import pytest

from napari_defocus.batch.plan import make_plan
from napari_defocus.batch.run import run_plan
from napari_defocus.errors import OptionError
from napari_defocus.io import read_picture, write_picture
from napari_defocus.io.picture import Length, Metadata, Picture


def write(path, size):
    data = np.random.default_rng(0).integers(0, 4000, (24, 32)).astype(np.uint16)
    sizes = {"Y": Length(size, "µm"), "X": Length(size, "µm")} if size else {}
    write_picture(path, data, Picture(data, "YX", Metadata(pixel_size=sizes)))


def run(*arguments):
    return [event.outcome for event in run_plan(make_plan(*arguments)) if event.outcome]


def test_the_report_tells_pixels_and_micrometers(settings, tmp_path):
    write(tmp_path / "a.ome.tif", 0.25)
    write(tmp_path / "b.tif", None)
    inputs = [tmp_path / "a.ome.tif", tmp_path / "b.tif"]
    for state in ("done", "verified"):
        assert [done.state for done in run(inputs, tmp_path / "out", settings(task="map"))] == [
            state, state]  # fmt: skip
        text = (tmp_path / "out" / "report.csv").read_text(encoding="utf-8")
        first, second = csv.DictReader(text.splitlines())
        radius = float(first["median radius (px)"])
        assert float(first["median radius (um)"]) == pytest.approx(radius / 4, rel=0.01)
        assert float(first["spot FWHM (um)"]) == pytest.approx(1.1774 * radius / 4, rel=0.01)
        assert float(first["cut-off (cycles/um)"]) == pytest.approx(0.6098 * 4 / radius, rel=0.01)
        assert second["median radius (px)"]
        assert second["median radius (um)"] == second["cut-off (cycles/um)"] == ""
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "<th>median radius (um)</th>" in page


def test_maps_are_written_in_micrometers(settings, tmp_path):
    write(tmp_path / "a.ome.tif", 0.25)
    write(tmp_path / "b.tif", None)
    inputs = [tmp_path / "a.ome.tif", tmp_path / "b.tif"]
    run(inputs[:1], tmp_path / "px", settings(task="both"))
    done = run(inputs, tmp_path / "um", settings(task="both", unit="um"))
    assert [outcome.state for outcome in done] == ["done", "failed"]
    assert "does not say the size of its pixels" in done[1].message
    name = "a-defocus.ome.tif"
    pixels, scaled = (read_picture(tmp_path / unit / name).data for unit in ("px", "um"))
    np.testing.assert_allclose(scaled, pixels * 0.25, rtol=1e-6)
    for kind in ("deblurred", "confidence"):
        one, two = (read_picture(tmp_path / u / f"a-{kind}.ome.tif").data for u in ("px", "um"))
        np.testing.assert_array_equal(one, two)
    record = json.loads((tmp_path / "um" / f"{name}.json").read_text(encoding="utf-8"))
    assert record["radii"]["unit"] == "um"


def test_the_unit_in_pixels_leaves_the_fingerprint_of_settings_as_it_was(settings):
    assert settings(unit="um").fingerprint() != settings().fingerprint()
    with pytest.raises(OptionError, match="unit is 'mm'; accepted are px, um"):
        settings(unit="mm")
