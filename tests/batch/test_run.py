"""Runs of a plan: results, resumed runs, bad files, and files that no batch has made."""

import csv
import json

import numpy as np
import pytest
from PIL import Image

from napari_defocus import deblur, estimate_defocus
from napari_defocus.batch.plan import PLAN_NAME, Plan, make_plan
from napari_defocus.batch.records import Measures
from napari_defocus.batch.report import _numbers
from napari_defocus.batch.run import run_plan
from napari_defocus.errors import FileError
from napari_defocus.io import read_picture
from napari_defocus.map_statistics import map_statistics

from .conftest import picture

BROKEN = {
    "empty.png": b"",
    "text.jpg": b"no picture at all",
    "cut.tif": b"II*\0\x08\0\0\0",
    "claims.png": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\xff\xff\xff\xff\xff\xff\xff\xff",
}


def finish(plan):
    """Run a plan to its end; return the events and the outcomes."""
    steps, events = run_plan(plan), []
    while True:
        try:
            events.append(next(steps))
        except StopIteration as stop:
            return events, stop.value


def states(outcomes):
    return [outcome.state for outcome in outcomes]


def contents(folder):
    return {
        path.relative_to(folder): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.startswith((".", "report."))
    }


def table(folder):
    return list(csv.DictReader((folder / "report.csv").read_text(encoding="utf-8").splitlines()))


def test_results_equal_those_of_the_api(photos, settings, tmp_path):
    custom = settings(task="both", strength=0.5)
    events, outcomes = finish(make_plan([photos], tmp_path / "out", custom))
    assert states(outcomes) == ["done"] * 3
    image = read_picture(photos / "a.png").data
    defocus = estimate_defocus(image, model=custom.deblurring.map_model, channel_axis=-1)
    changes = custom.deblurring.changed()
    del changes["map_model"]  # the map is there
    sharp = deblur(image, defocus, **changes, channel_axis=-1)
    for name, wanted in [
        ("a-defocus.tif", defocus.radius),
        ("a-confidence.tif", defocus.confidence),
        ("a-deblurred.png", sharp),
    ]:
        np.testing.assert_array_equal(read_picture(tmp_path / "out" / name).data, wanted)
    assert (tmp_path / "out" / "deep er" / "ü-deblurred.jpg").exists()
    assert {event.index for event in events} == {0, 1, 2}
    assert any(event.done == event.total > 1 for event in events)


def test_results_have_provenance(photos, settings, tmp_path):
    finish(make_plan([photos / "a.png"], tmp_path / "out", settings()))
    record = json.loads((tmp_path / "out" / "a-deblurred.png.json").read_text(encoding="utf-8"))
    assert record["function"] == "deblur"
    assert [model["task"] for model in record["models"]] == ["deblur", "single"]
    assert record["input"]["path"] == "a.png"
    fields = {"path", "source", "settings", "result", "measures", "check"}
    assert set(record["batch"]) == fields
    assert record["batch"]["path"] == str(photos / "a.png")


def test_a_second_run_redoes_nothing(photos, settings, tmp_path):
    finish(make_plan([photos], tmp_path / "out", settings()))
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*-deblurred.*")}
    _, outcomes = finish(make_plan([photos], tmp_path / "out", settings()))
    assert states(outcomes) == ["verified"] * 3
    assert {path: path.stat().st_mtime_ns for path in before} == before


@pytest.mark.parametrize("change", ["source", "missing"])
def test_a_file_whose_source_changed_or_whose_result_is_missing_is_done_again(
    photos, settings, tmp_path, change
):
    out = tmp_path / "out"
    finish(make_plan([photos], out, settings()))
    wanted = contents(out)
    if change == "source":
        Image.fromarray(picture(9)).save(photos / "a.png")
    else:
        (out / "a-deblurred.png").unlink()
    _, outcomes = finish(make_plan([photos], out, settings()))
    assert states(outcomes) == ["done", "verified", "verified"]
    assert (contents(out) == wanted) == (change != "source")


def test_bad_files_are_reported_and_do_not_stop_the_others(photos, settings, tmp_path):
    for name, content in BROKEN.items():
        (photos / name).write_bytes(content)
    plan = make_plan([photos], tmp_path / "out", settings())
    _, outcomes = finish(plan)
    by_name = {
        item.source.name: outcome for item, outcome in zip(plan.items, outcomes, strict=True)
    }
    assert {name for name, outcome in by_name.items() if outcome.state == "failed"} == set(BROKEN)
    for name in BROKEN:
        assert name in by_name[name].message
    assert states(outcomes).count("done") == 3
    rows = {row["file"]: row for row in table(tmp_path / "out")}
    assert rows[str(photos / "empty.png")]["message"].endswith("files can be read")
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert "7 files: 3 done, 4 failed" in page
    assert page.count("data:image/jpeg") == 3 * len(("before", "after"))
    assert "sharpest: " in page


def test_a_file_that_vanishes_is_reported(photos, settings, tmp_path):
    plan = make_plan([photos], tmp_path / "out", settings())
    (photos / "b.tif").unlink()
    _, outcomes = finish(plan)
    assert states(outcomes) == ["done", "failed", "done"]
    assert "b.tif cannot be read: No such file" in outcomes[1].message


def test_a_file_that_changes_during_its_work_is_reported(photos, settings, tmp_path):
    plan = make_plan([photos / "a.png"], tmp_path / "out", settings())
    steps = run_plan(plan)
    while not next(steps).total:
        pass
    Image.fromarray(picture(9)).save(photos / "a.png")
    *_, last = steps
    assert last.outcome.state == "failed"
    assert "changed while it was worked on" in last.outcome.message
    assert not list((tmp_path / "out").glob("a-*"))


def test_a_canceled_run_can_be_resumed(photos, settings, tmp_path):
    out = tmp_path / "out"
    plan = make_plan([photos], out, settings())
    steps = run_plan(plan)
    while next(steps).outcome is None:
        pass
    next(steps)
    steps.close()
    assert [row["state"] for row in table(out)] == ["done", "not reached", "not reached"]
    _, outcomes = finish(make_plan([photos], out, settings()))
    assert states(outcomes) == ["verified", "done", "done"]


def test_a_second_run_in_the_same_folder_is_refused(photos, settings, tmp_path):
    plan = make_plan([photos], tmp_path / "out", settings())
    first = run_plan(plan)
    next(first)
    with pytest.raises(FileError, match="another run works in"):
        next(run_plan(plan))
    first.close()
    finish(plan)


def test_foreign_files_are_refused_kept_or_replaced(photos, settings, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "a-deblurred.png").write_bytes(b"mine")
    with pytest.raises(FileError, match="a-deblurred.png exists already, and no earlier run"):
        make_plan([photos], out, settings())
    _, outcomes = finish(make_plan([photos], out, settings(existing="keep")))
    assert states(outcomes) == ["kept", "done", "done"]
    assert (out / "a-deblurred.png").read_bytes() == b"mine"
    _, outcomes = finish(make_plan([photos], out, settings(existing="replace")))
    assert states(outcomes) == ["done", "verified", "verified"]


@pytest.mark.parametrize("existing", ["refuse", "keep", "replace"])
@pytest.mark.parametrize("late", [False, True])
def test_foreign_files_that_appear_during_the_run_are_not_replaced(
    photos, settings, tmp_path, existing, late
):
    out = tmp_path / "out"
    plan = make_plan([photos / "a.png"], out, settings(existing=existing))
    steps = run_plan(plan)
    while late and not next(steps).total:
        pass
    out.mkdir(exist_ok=True)
    (out / "a-deblurred.png").write_bytes(b"mine")
    *others, last = steps
    if existing == "replace":
        assert last.outcome.state == "done"
        return
    assert (out / "a-deblurred.png").read_bytes() == b"mine"
    assert late or not any(event.total for event in others)  # refused before hours of work
    if late or existing == "refuse":
        assert last.outcome.state == "failed"
        assert "a-deblurred.png appeared while the batch ran" in last.outcome.message
    else:
        assert last.outcome.state == "kept"


def test_a_foreign_file_is_refused_even_if_an_earlier_run_planned_its_name(
    photos, settings, tmp_path
):
    steps = run_plan(make_plan([photos], tmp_path / "out", settings()))
    next(steps)
    steps.close()
    (tmp_path / "out" / "a-deblurred.png").write_bytes(b"mine")
    with pytest.raises(FileError, match="a-deblurred.png exists already, and no earlier run"):
        make_plan([photos], tmp_path / "out", settings())


def test_results_of_the_same_name_get_numbers(photos, settings, tmp_path):
    Image.fromarray(picture(7)).save(photos / "deep er" / "a.png")
    inputs = [photos / "a.png", photos / "deep er" / "a.png"]
    plan = make_plan(inputs, tmp_path / "out", settings())
    assert [item.results["sharp"].name for item in plan.items] == [
        "a-deblurred.png",
        "a-deblurred-2.png",
    ]


def test_a_plan_is_written_before_work_and_reads_back(photos, settings, tmp_path):
    plan = make_plan([photos], tmp_path / "out", settings(task="both"))
    steps = run_plan(plan)
    next(steps)
    assert Plan.read(tmp_path / "out") == plan
    steps.close()


@pytest.mark.parametrize("content", ["", "[]", '{"items": 3}', '{"settings": {}, "items": []}'])
def test_a_damaged_plan_is_an_error(tmp_path, content):
    (tmp_path / PLAN_NAME).write_text(content)
    with pytest.raises(FileError, match="not the plan of a batch"):
        Plan.read(tmp_path)


def test_the_report_measures_sure_pixels(photos, settings, tmp_path):
    out = tmp_path / "out"
    finish(make_plan([photos / "a.png"], out, settings(task="map")))
    (row,) = table(out)
    names = ("a-defocus.tif", "a-confidence.tif")
    radius, confidence = (read_picture(out / name).data for name in names)
    statistics = map_statistics(radius, confidence)
    assert row["share that tells"] == f"{statistics.sure:.3f}"
    expected = f"{statistics.median_radius:.3f}" if statistics.sure else ""
    assert row["median radius (px)"] == expected
    measures = Measures(3.0, 0.5, sure=0.0)
    assert _numbers(measures) == ("", "", "", "", "", "0.000")


def test_the_report_tells_the_checks_of_sharper_pictures(photos, settings, tmp_path):
    out = tmp_path / "out"
    plan = make_plan([photos / "a.png"], out, settings(check=True))
    _, (outcome,) = finish(plan)
    (row,) = table(out)
    record = json.loads((out / "a-deblurred.png.json").read_text())
    score = record["check"]["score"]
    assert row["share flagged"] == f"{score['flagged']:.3f}"
    assert row["share inferred"] == f"{score['inferred']:.3f}"
    assert row["consistency (dB)"] == f"{score['consistency']:.1f}"
    assert row["verdict"] == record["check"]["verdict"]
    assert row["verdict"] in (out / "report.html").read_text()
    _, (again,) = finish(make_plan([photos / "a.png"], out, settings(check=True)))
    assert (again.state, again.measures) == ("verified", outcome.measures)
