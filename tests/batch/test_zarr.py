"""Batches of zarr stores and large TIFF files, read and written window by window."""

import shutil
import time
from dataclasses import replace

import numpy as np
import pytest

from napari_defocus import DeblurJob, EstimateJob, Options, Views, deblur, estimate_defocus
from napari_defocus.batch.inputs import find_inputs
from napari_defocus.batch.plan import make_plan
from napari_defocus.batch.records import file_hash
from napari_defocus.batch.run import run_plan
from napari_defocus.errors import FileError
from napari_defocus.io import open_picture, read_picture, resolve_options, tiff_write, write_picture
from napari_defocus.io.atomic import find_scratch_folders, scratch_folder
from napari_defocus.io.picture import Length, Metadata, Picture

zarr = pytest.importorskip("zarr")

SIZES = Metadata(pixel_size={"Y": Length(0.5, "micrometer"), "X": Length(0.5, "micrometer")})


def stack(shape, dtype=np.uint16):
    return np.random.default_rng(0).integers(0, 4000, shape).astype(dtype)


@pytest.fixture
def stores(tmp_path):
    """A folder with an OME-Zarr stack, and one in a folder within it."""
    folder = tmp_path / "in"
    (folder / "deeper").mkdir(parents=True)
    for name, shape in (("a.ome.zarr", (2, 2, 24, 40)), ("deeper/b.zarr", (32, 24))):
        data = stack(shape)
        write_picture(folder / name, data, Picture(data, "TCYX"[-data.ndim :], SIZES))
    return folder


def outcomes(plan):
    return [event.outcome for event in run_plan(plan) if event.outcome is not None]


def test_stores_are_inputs_but_not_the_files_in_them(stores, monkeypatch):
    (stores / "a.ome.zarr" / "inside.tif").write_bytes(b"")
    for inputs in ([stores], [stores / "a.ome.zarr", stores / "deeper"], [stores / "**/*.zarr"]):
        assert [file.path.name for file in find_inputs(inputs)] == ["a.ome.zarr", "b.zarr"]
    assert not {file.path.name for file in find_inputs([stores / "**/*"])} - {
        "a.ome.zarr",
        "b.zarr",
    }


def test_results_of_stores_equal_those_of_the_api(stores, settings, tmp_path):
    custom = settings(task="both")
    done = outcomes(make_plan([stores], tmp_path / "out", custom))
    assert [outcome.state for outcome in done] == ["done", "done"], done
    source = read_picture(stores / "a.ome.zarr")
    options = resolve_options(source, custom.options)
    defocus = EstimateJob(Views(source.data), custom.deblurring.map_model, options).run()
    deblurring = replace(custom.deblurring, map_model="auto")  # the map is there
    sharp = DeblurJob(source.data, defocus, deblurring, options).run()
    for word, wanted in [
        ("defocus", defocus.radius),
        ("confidence", defocus.confidence),
        ("deblurred", sharp),
    ]:
        picture = open_picture(tmp_path / "out" / f"a-{word}.ome.zarr")
        np.testing.assert_array_equal(picture.data.compute(), wanted)
        assert picture.axes == "TCYX"
        assert picture.metadata.pixel_size == SIZES.pixel_size
    assert done[0].measures.median_radius == pytest.approx(float(np.median(defocus.radius)))
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert page.count("data:image/jpeg") == 2 * len(("before", "after", "map"))
    assert not find_scratch_folders(tmp_path / "out")


def test_a_second_run_does_only_changed_stores_again(stores, settings, tmp_path):
    plan = make_plan([stores], tmp_path / "out", settings())
    outcomes(plan)
    again = make_plan([stores], tmp_path / "out", settings())
    assert [outcome.state for outcome in outcomes(again)] == ["verified", "verified"]
    zarr.open(str(stores / "deeper" / "b.zarr"))["0"][3, 3] = 7
    assert [outcome.state for outcome in outcomes(again)] == ["verified", "done"]


def test_a_store_that_was_changed_afterwards_is_replaced_only_on_request(
    stores, settings, tmp_path
):
    inputs = [stores / "a.ome.zarr"]
    outcomes(make_plan(inputs, tmp_path / "out", settings()))
    result = tmp_path / "out" / "a-deblurred.ome.zarr"
    whole = file_hash(result)
    chunk = next(path for path in result.rglob("c/*/*/*/*"))
    chunk.write_bytes(b"changed")
    changed = file_hash(result)
    with pytest.raises(FileError, match="a-deblurred.ome.zarr was changed after an earlier run"):
        outcomes(make_plan(inputs, tmp_path / "out", settings()))
    (kept,) = outcomes(make_plan(inputs, tmp_path / "out", settings(existing="keep")))
    assert (kept.state, file_hash(result)) == ("kept", changed)
    (done,) = outcomes(make_plan(inputs, tmp_path / "out", settings(existing="replace")))
    assert (done.state, file_hash(result)) == ("done", whole)


def test_canceled_and_killed_runs_leave_no_unfinished_store(stores, settings, tmp_path):
    steps = run_plan(make_plan([stores], tmp_path / "out", settings()))
    while next(steps).done == 0:
        pass
    steps.close()
    names = {path.name for path in (tmp_path / "out").iterdir() if "-deblurred" in path.name}
    assert not names
    assert not find_scratch_folders(tmp_path / "out")
    with scratch_folder(tmp_path / "out") as left:  # as it is when a process is killed
        (left / "whole").mkdir()
        shutil.copytree(left, tmp_path / "copy")
    (tmp_path / "copy").rename(left)
    done = outcomes(make_plan([stores], tmp_path / "out", settings()))
    assert [outcome.state for outcome in done] == ["done", "done"]
    assert not left.exists()


def test_a_batch_can_be_canceled_while_a_large_tiff_file_is_written(
    stores, settings, tmp_path, monkeypatch
):
    reads, read = [], tiff_write._Stoppable.__getitem__

    def slow(pixels, index):
        reads.append(index)
        time.sleep(0.05)
        return read(pixels, index)

    monkeypatch.setattr(tiff_write._Stoppable, "__getitem__", slow)
    monkeypatch.setattr(tiff_write, "_YIELD_INTERVAL", 0.01)
    custom = settings(pattern="{name}-{what}.ome.tif")
    steps = run_plan(make_plan([stores / "a.ome.zarr"], tmp_path / "out", custom))
    while not reads:
        next(steps)
    steps.close()
    assert len(reads) < 8  # parts, each of which is read twice
    assert not list((tmp_path / "out").glob("*.tif"))
    assert not find_scratch_folders(tmp_path / "out")


def test_foreign_stores_that_appear_during_the_run_are_not_replaced(stores, settings, tmp_path):
    plan = make_plan([stores / "a.ome.zarr"], tmp_path / "out", settings())
    steps = run_plan(plan)
    while next(steps).done == 0:
        pass
    other = tmp_path / "out" / "a-deblurred.ome.zarr"
    other.mkdir()
    *_, last = steps
    assert last.outcome.state == "failed"
    assert "a-deblurred.ome.zarr appeared while the batch ran" in last.outcome.message
    assert not list(other.iterdir())
    assert not find_scratch_folders(tmp_path / "out")


def test_broken_stores_are_reported_and_do_not_stop_the_others(stores, settings, tmp_path):
    (stores / "broken.zarr").mkdir()
    done = outcomes(make_plan([stores], tmp_path / "out", settings()))
    assert [outcome.state for outcome in done] == ["done", "failed", "done"]
    assert done[1].message.endswith(
        "broken.zarr is no zarr store: it holds neither array nor group"
    )


def test_large_planes_are_worked_on_block_by_block(settings, tmp_path):
    data = stack((150, 140), np.uint8)
    write_picture(tmp_path / "a.zarr", data)
    custom = settings(
        task="both", options=Options(tile=32, device="cpu", imaging="photograph")
    )  # blocks of 128 pixels
    events = list(run_plan(make_plan([tmp_path / "a.zarr"], tmp_path / "out", custom)))
    assert [event.outcome.message for event in events if event.outcome] == [""]
    assert len(events) > 2 * 20  # tiles
    defocus = estimate_defocus(data, model=custom.deblurring.map_model, tile=32)
    radius = read_picture(tmp_path / "out" / "a-defocus.zarr").data
    np.testing.assert_allclose(radius, defocus.radius, atol=1e-3)
    sharp = deblur(data, defocus, model=custom.deblurring.model, protect_radius=0.0, tile=32)
    result = read_picture(tmp_path / "out" / "a-deblurred.zarr").data
    np.testing.assert_allclose(result.astype(int), sharp, atol=1)
