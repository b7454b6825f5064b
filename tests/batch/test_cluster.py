"""Plans on dask workers give what they give here, even if workers die."""

import os
import signal

import dask
import pytest
import torch
from PIL import Image

from napari_defocus.batch.cluster import connected, run_on_cluster
from napari_defocus.batch.how import How
from napari_defocus.batch.plan import make_plan
from napari_defocus.batch.run import run_plan
from napari_defocus.errors import FileError, OptionError

from .conftest import picture

pytest.importorskip("distributed")


@pytest.fixture(scope="module")
def client():
    with connected(None, 4) as client:
        yield client


def results(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.rglob("*-deblurred.*"))}


def kill_one_at_work(client, pids, steps):
    """Go on until a worker is at work, for it may have done all that it was given; and kill it."""
    while not (busy := [worker for worker, tasks in client.processing().items() if tasks]):
        next(steps)
    os.kill(pids[busy[0]], signal.SIGKILL)


def finished(steps):
    return [event.outcome.state for event in steps if event.outcome is not None]


def test_workers_give_the_same_bytes(photos, settings, tmp_path, client):
    (photos / "bad.png").write_bytes(b"nothing")
    torch.set_num_threads(2)  # where workers have one
    list(run_plan(make_plan([photos], tmp_path / "here", settings())))
    states = finished(run_on_cluster(make_plan([photos], tmp_path / "there", settings()), client))
    assert sorted(states) == ["done", "done", "done", "failed"]
    images = [results(tmp_path / where) for where in ("here", "there")]
    assert images[0] == images[1]
    assert (tmp_path / "there" / "report.html").exists()
    again = finished(run_on_cluster(make_plan([photos], tmp_path / "there", settings()), client))
    assert sorted(again) == ["failed", "verified", "verified", "verified"]


def test_work_of_a_worker_that_dies_is_done_by_another(photos, settings, tmp_path, client):
    for seed in range(16):
        Image.fromarray(picture(seed, (96, 96, 3))).save(photos / f"{seed}.png")
    list(run_plan(make_plan([photos], tmp_path / "here", settings())))
    pids = client.run(os.getpid)
    steps = run_on_cluster(make_plan([photos], tmp_path / "there", settings()), client)
    while next(steps).outcome is None:
        pass
    kill_one_at_work(client, pids, steps)
    assert set(finished(steps)) <= {"done", "verified"}
    assert results(tmp_path / "here") == results(tmp_path / "there")


@pytest.fixture
def one_image(tmp_path):
    """A picture of many small tiles."""
    Image.fromarray(picture(5, (320, 240, 3))).save(tmp_path / "one.png")
    return tmp_path / "one.png"


def test_one_image_is_shared_tile_by_tile_even_if_a_worker_dies(
    one_image, settings, tmp_path, client
):
    chosen = settings(task="both", how=How(tile="64", scale="1"))
    list(run_plan(make_plan([one_image], tmp_path / "here", chosen)))
    pids = client.run(os.getpid)
    steps = run_on_cluster(make_plan([one_image], tmp_path / "there", chosen), client)
    told = [next(steps) for _ in range(12)]
    assert told[-1].done > 1
    kill_one_at_work(client, pids, steps)
    assert finished(steps) == ["done"]
    assert results(tmp_path / "here") == results(tmp_path / "there")


def test_one_run_in_a_folder(photos, settings, tmp_path, client):
    plan = make_plan([photos], tmp_path / "out", settings())
    steps = run_on_cluster(plan, client)
    next(steps)
    with pytest.raises(FileError, match="another run works in"):
        next(run_plan(plan))
    steps.close()


def test_two_runs_at_once_start_workers_of_their_own(photos, settings, tmp_path, client):
    with connected(None, 1) as other:
        assert other.scheduler.address != client.scheduler.address
        plan = make_plan([photos], tmp_path / "out", settings())
        assert set(finished(run_on_cluster(plan, other))) == {"done"}


def test_arrays_of_the_caller_stay_off_the_cluster(client):
    assert dask.delayed(os.getpid)().compute() == os.getpid()
    assert os.getpid() not in client.run(os.getpid).values()


def test_what_cannot_be_reached_is_said():
    with (
        pytest.raises(OptionError, match="no dask scheduler answers at nonsense://x"),
        connected("nonsense://x", None),
    ):
        pass
    with pytest.raises(OptionError, match="exclude each other"), connected("tcp://x:1", 2):
        pass
