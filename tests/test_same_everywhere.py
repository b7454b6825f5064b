"""One result and one provenance from the API, the command line, the widgets and a batch."""

import json
import sys
from dataclasses import fields

import numpy as np
import pytest
from napari.components import ViewerModel

from napari_defocus import (
    DeblurJob,
    DeblurSettings,
    EstimateJob,
    Options,
    Views,
    deblur,
    estimate_defocus,
)
from napari_defocus.batch.plan import make_plan
from napari_defocus.batch.run import run_plan
from napari_defocus.batch.settings import Settings
from napari_defocus.cli import main
from napari_defocus.io import read_picture, write_picture
from napari_defocus.provenance_record import provenance
from napari_defocus.viewer.deblurring.deblur import DeblurWidget
from napari_defocus.viewer.layers.results import METADATA_KEY
from napari_defocus.viewer.mapping.defocus_map import DefocusMapWidget

#: Another value for each setting that has a control.
CHANGED = DeblurSettings(
    strength=0.7, protect_radius=0.25, bokeh_radius=6.0, amount=0.83, detail="natural"
)
KINDS = ("radius", "confidence", "sharp")


@pytest.fixture(params=["photograph", "gray float plane", "no data", "hot pixel", "12 bits"])
def image(request):
    """An image, the options that the API needs for it, and settings."""
    rng = np.random.default_rng(3)
    gray, color = rng.random((8, 12), np.float32), rng.random((8, 12, 3), np.float32)
    gray, color = (each.repeat(8, axis=0).repeat(8, axis=1) for each in (gray, color))
    if request.param == "photograph":
        return (color * 255.9).astype(np.uint8), {"channel_axis": -1}, CHANGED
    if request.param == "12 bits":
        return (color * 4095).astype(np.uint16), {"channel_axis": -1}, CHANGED
    if request.param == "no data":
        data = (gray * 800 - 90).astype(np.int16)
        data[20:30, 40:60] = -32768
    elif request.param == "hot pixel":
        data = (gray * 900 + 100).astype(np.uint16)
        data[33, 44] = 65535
    else:
        data = gray * 40 - 3
    return data, {}, DeblurSettings()


@pytest.fixture
def file(image, tmp_path):
    """A file with the image, whose type holds it exactly."""
    data, options, _ = image
    write_picture(tmp_path / "cells.tif", data, **options)
    return tmp_path / "cells.tif"


def from_api(image):
    """Return arrays and provenance of the public functions, by kind of result."""
    data, options, settings = image
    estimate = EstimateJob(Views(data), options=Options(**options))
    deblurring = DeblurJob(data, settings=settings, options=Options(**options))
    records = provenance(estimate), provenance(deblurring)
    radius, confidence = estimate_defocus(data, **options)
    arrays = radius, confidence, deblur(data, **settings.changed(), **options)
    return dict(zip(KINDS, zip(arrays, (records[0], *records), strict=True), strict=True))


def from_command_line(file, settings, monkeypatch):
    """Return arrays and provenance of the commands map and deblur."""
    paths = {kind: file.with_name(f"{kind}.tif") for kind in KINDS}
    choices = [f"--{name.replace('_', '-')}={value}" for name, value in settings.changed().items()]
    for words in (
        ["map", file, paths["radius"], "--confidence-out", paths["confidence"]],
        ["deblur", file, paths["sharp"], *choices],
    ):
        monkeypatch.setattr(sys, "argv", ["napari-defocus", *map(str, words)])
        with pytest.raises(SystemExit) as end:
            main()
        assert not end.value.code
    return {kind: read_result(path) for kind, path in paths.items()}


def from_batch(file, settings):
    """Return arrays and provenance of a batch of one file."""
    plan = make_plan([file], file.with_name("batch"), Settings(task="both", deblurring=settings))
    *_, last = run_plan(plan)
    assert last.outcome.state == "done", last.outcome.message
    return {kind: read_result(path) for kind, path in plan.items[0].results.items()}


def from_widgets(image, viewer, qtbot):
    """Return arrays and provenance of both widgets."""
    data, _, settings = image
    layer = viewer.add_image(data, rgb=data.ndim == 3)
    results = {}
    for widget_type in (DefocusMapWidget, DeblurWidget):
        widget = widget_type(viewer)
        qtbot.addWidget(widget.native)
        widget.image.value = layer
        if widget_type is DeblurWidget:
            widget.defocus.value = None  # estimate again, as the other ways do
            for name, value in settings.changed().items():
                getattr(widget, name).value = value
        worker = widget.run()
        with qtbot.waitSignal(worker.finished, timeout=120_000):
            pass
        for new in viewer.layers:
            if new is layer or new.name.endswith("(sure)"):
                continue
            results[kind_of(new)] = new.data, new.metadata[METADATA_KEY]
    return results


def kind_of(layer):
    """Return the kind of result that a layer holds."""
    if layer.metadata[METADATA_KEY]["function"] == "deblur":
        return "sharp"
    return "confidence" if "confidence" in layer.name else "radius"


def read_result(path):
    record = json.loads(path.with_name(f"{path.name}.json").read_text(encoding="utf-8"))
    return read_picture(path).data, record


@pytest.mark.filterwarnings("ignore::napari_defocus.ValuesWarning")
def test_results_and_provenance_are_the_same_everywhere(
    image, file, monkeypatch, npe2pm, plugin_settings, qtbot
):
    from npe2 import PluginManifest

    for name in ("napari", "napari-defocus"):
        npe2pm.register(PluginManifest.from_distribution(name))
    expected = from_api(image)
    others = {
        "command line": from_command_line(file, image[-1], monkeypatch),
        "batch": from_batch(file, image[-1]),
        "widgets": from_widgets(image, ViewerModel(), qtbot),
    }
    for origin, results in others.items():
        assert set(results) == set(KINDS), origin
        for kind in KINDS:
            check_same(results[kind], expected[kind], f"{kind} of the {origin}")


def test_the_comparison_changes_every_setting_that_has_a_control():
    controls = {each.name for each in fields(DeblurSettings) if each.metadata["accepted"]}
    assert set(CHANGED.changed()) == controls


def check_same(result, expected, name):
    """Check that bytes and provenance are equal; of its input, the keys and the hash."""
    assert result[0].dtype == expected[0].dtype, name
    assert result[0].tobytes() == expected[0].tobytes(), name
    record, expected_record = (json.loads(json.dumps(made[1])) for made in (result, expected))
    record.pop("batch", None)  # a batch adds what its next run checks
    source, expected_source = record.pop("input"), expected_record.pop("input")
    assert set(source) == set(expected_source), name
    assert source["hash"] == expected_source["hash"], name
    assert record == expected_record, name
