"""zarr stores and large TIFF files go through a batch window by window."""

import time

import numpy as np
import pytest

from napari_defocus import deblur, estimate_defocus
from napari_defocus.batch.how import How
from napari_defocus.batch.inputs import find_inputs
from napari_defocus.batch.plan import make_plan
from napari_defocus.batch.run import run_plan
from napari_defocus.io import open_picture, read_picture, tiff_write, write_picture
from napari_defocus.io.atomic import find_leftovers
from napari_defocus.io.picture import Length, Metadata, Picture

zarr = pytest.importorskip("zarr")

SIZES = Metadata(pixel_size={"Y": Length(0.5, "micrometer"), "X": Length(0.5, "micrometer")})


def stack(shape, dtype=np.uint16):
    return np.random.default_rng(0).integers(0, 4000, shape).astype(dtype)


@pytest.fixture
def stores(tmp_path):
    """A folder with an OME-Zarr stack, and one further down."""
    folder = tmp_path / "in"
    (folder / "deeper").mkdir(parents=True)
    for name, shape in (("a.ome.zarr", (2, 2, 24, 40)), ("deeper/b.zarr", (32, 24))):
        data = stack(shape)
        write_picture(folder / name, data, Picture(data, "TCYX"[-data.ndim :], SIZES))
    return folder


def outcomes(plan):
    return [event.outcome for event in run_plan(plan) if event.outcome is not None]


def test_stores_are_found_and_not_looked_into(stores, monkeypatch):
    (stores / "a.ome.zarr" / "inside.tif").write_bytes(b"")
    for given in ([stores], [stores / "a.ome.zarr", stores / "deeper"], [stores / "**/*.zarr"]):
        assert [found.path.name for found in find_inputs(given)] == ["a.ome.zarr", "b.zarr"]
    assert not {found.path.name for found in find_inputs([stores / "**/*"])} - {
        "a.ome.zarr",
        "b.zarr",
    }


def test_stores_become_what_the_api_makes_of_them(stores, settings, tmp_path):
    chosen = settings(task="both")
    done = outcomes(make_plan([stores], tmp_path / "out", chosen))
    assert [outcome.state for outcome in done] == ["done", "done"], done
    source = read_picture(stores / "a.ome.zarr")
    how = chosen.how.arguments(source)
    found = estimate_defocus(source.data, model=chosen.map_model, **how)
    sharp = deblur(source.data, found, model=chosen.model, protect=0.0, **how)
    for word, wanted in [
        ("defocus", found.radius),
        ("confidence", found.confidence),
        ("deblurred", sharp),
    ]:
        picture = open_picture(tmp_path / "out" / f"a-{word}.ome.zarr")
        np.testing.assert_array_equal(picture.data.compute(), wanted)
        assert picture.axes == "TCYX"
        assert picture.metadata.pixel_size == SIZES.pixel_size
    assert done[0].measures.median_radius == pytest.approx(float(np.median(found.radius)))
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert page.count("data:image/jpeg") == 2
    assert not find_leftovers(tmp_path / "out")


def test_a_second_run_redoes_only_what_changed(stores, settings, tmp_path):
    plan = make_plan([stores], tmp_path / "out", settings())
    outcomes(plan)
    again = make_plan([stores], tmp_path / "out", settings())
    assert [outcome.state for outcome in outcomes(again)] == ["verified", "verified"]
    chunk = next(path for path in (tmp_path / "out" / "a-deblurred.ome.zarr").rglob("c/*/*/*/*"))
    chunk.write_bytes(b"damaged")
    zarr.open(str(stores / "deeper" / "b.zarr"))["0"][3, 3] = 7
    assert [outcome.state for outcome in outcomes(again)] == ["done", "done"]


def test_cancelled_and_killed_runs_leave_nothing_half_done(stores, settings, tmp_path):
    steps = run_plan(make_plan([stores], tmp_path / "out", settings()))
    while next(steps).done == 0:
        pass
    steps.close()
    names = {path.name for path in (tmp_path / "out").iterdir() if "-deblurred" in path.name}
    assert not names
    assert not find_leftovers(tmp_path / "out")
    left = tmp_path / "out" / ".0123456789abcdef.part"
    (left / "whole").mkdir(parents=True)
    done = outcomes(make_plan([stores], tmp_path / "out", settings()))
    assert [outcome.state for outcome in done] == ["done", "done"]
    assert not left.exists()


def test_a_batch_is_cancelled_while_a_large_tiff_file_is_written(
    stores, settings, tmp_path, monkeypatch
):
    reads, read = [], tiff_write._Stoppable.__getitem__

    def slow(pixels, index):
        reads.append(index)
        time.sleep(0.05)
        return read(pixels, index)

    monkeypatch.setattr(tiff_write._Stoppable, "__getitem__", slow)
    monkeypatch.setattr(tiff_write, "_PATIENCE", 0.01)
    chosen = settings(pattern="{name}-{what}.ome.tif")
    steps = run_plan(make_plan([stores / "a.ome.zarr"], tmp_path / "out", chosen))
    while not reads:
        next(steps)
    steps.close()
    assert len(reads) < 8  # parts, each of which is read twice
    assert not list((tmp_path / "out").glob("*.tif"))
    assert not find_leftovers(tmp_path / "out")


def test_stores_of_others_that_appear_meanwhile_are_not_replaced(stores, settings, tmp_path):
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
    assert not find_leftovers(tmp_path / "out")


def test_broken_stores_are_reported_and_stop_nothing(stores, settings, tmp_path):
    (stores / "broken.zarr").mkdir()
    done = outcomes(make_plan([stores], tmp_path / "out", settings()))
    assert [outcome.state for outcome in done] == ["done", "failed", "done"]
    assert done[1].message.endswith(
        "broken.zarr is no zarr store: it holds neither array nor group"
    )


def test_large_planes_are_done_block_by_block(settings, tmp_path):
    data = stack((150, 140), np.uint8)
    write_picture(tmp_path / "a.zarr", data)
    chosen = settings(task="both", how=How(tile="32", device="cpu"))  # blocks of 128 pixels
    events = list(run_plan(make_plan([tmp_path / "a.zarr"], tmp_path / "out", chosen)))
    assert [event.outcome.message for event in events if event.outcome] == [""]
    assert len(events) > 2 * 20  # tiles
    found = estimate_defocus(data, model=chosen.map_model, tile=32)
    radius = read_picture(tmp_path / "out" / "a-defocus.zarr").data
    np.testing.assert_allclose(radius, found.radius, atol=1e-3)
    sharp = deblur(data, found, model=chosen.model, protect=0.0, tile=32)
    result = read_picture(tmp_path / "out" / "a-deblurred.zarr").data
    np.testing.assert_allclose(result.astype(int), sharp, atol=1)
