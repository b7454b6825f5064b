"""Plans on dask workers: the same results as in one process, even if workers die."""

import os
import signal

import dask
import pytest
import torch
from dask.system import CPU_COUNT
from PIL import Image

from napari_defocus import Options
from napari_defocus.batch.cluster import connect, run_on_cluster
from napari_defocus.batch.plan import make_plan
from napari_defocus.batch.run import run_plan
from napari_defocus.errors import FileError, OptionError
from napari_defocus.io import write_picture
from napari_defocus.io.picture import Picture

from .conftest import picture

pytest.importorskip("distributed")


@pytest.fixture(scope="module")
def client():
    with connect(None, 2) as client:
        yield client


def results(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.rglob("*-deblurred.*"))}


def kill_one_at_work(client, pids, steps):
    """Run on until a worker has a task, and kill that worker."""
    while not (busy := [worker for worker, tasks in client.processing().items() if tasks]):
        next(steps)
    os.kill(pids[busy[0]], signal.SIGKILL)


def final_states(steps):
    return [event.outcome.state for event in steps if event.outcome is not None]


def test_workers_give_the_same_bytes(photos, settings, tmp_path, client):
    (photos / "bad.png").write_bytes(b"nothing")
    torch.set_num_threads(2)  # workers have one
    list(run_plan(make_plan([photos], tmp_path / "here", settings())))
    states = final_states(
        run_on_cluster(make_plan([photos], tmp_path / "there", settings()), client)
    )
    assert sorted(states) == ["done", "done", "done", "failed"]
    images = [results(tmp_path / where) for where in ("here", "there")]
    assert images[0] == images[1]
    assert (tmp_path / "there" / "report.html").exists()
    again = final_states(
        run_on_cluster(make_plan([photos], tmp_path / "there", settings()), client)
    )
    assert sorted(again) == ["failed", "verified", "verified", "verified"]


@pytest.mark.slow  # one image shared, below, is its sample
def test_files_of_a_dead_worker_are_done_by_another(photos, settings, tmp_path, client):
    for seed in range(16):
        Image.fromarray(picture(seed, (96, 96, 3))).save(photos / f"{seed}.png")
    list(run_plan(make_plan([photos], tmp_path / "here", settings())))
    pids = client.run(os.getpid)
    steps = run_on_cluster(make_plan([photos], tmp_path / "there", settings()), client)
    while next(steps).outcome is None:
        pass
    kill_one_at_work(client, pids, steps)
    assert set(final_states(steps)) <= {"done", "verified"}
    assert results(tmp_path / "here") == results(tmp_path / "there")


def test_workers_share_the_cores(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    with connect(None, 1) as client:
        threads = client.run(os.getenv, "OMP_NUM_THREADS")
    assert set(threads.values()) == {str(CPU_COUNT)}


@pytest.fixture
def one_image(tmp_path):
    """A picture that is cut into many tiles."""
    Image.fromarray(picture(5, (320, 240, 3))).save(tmp_path / "one.png")
    return tmp_path / "one.png"


def test_one_image_is_shared_tile_by_tile_even_if_a_worker_dies(
    one_image, settings, tmp_path, client
):
    custom = settings(task="both", options=Options(tile=64, downscale=1))
    list(run_plan(make_plan([one_image], tmp_path / "here", custom)))
    pids = client.run(os.getpid)
    steps = run_on_cluster(make_plan([one_image], tmp_path / "there", custom), client)
    events = [next(steps) for _ in range(12)]
    assert events[-1].done > 1
    kill_one_at_work(client, pids, steps)
    assert final_states(steps) == ["done"]
    assert results(tmp_path / "here") == results(tmp_path / "there")


def test_a_second_run_in_the_same_folder_is_refused(photos, settings, tmp_path, client):
    plan = make_plan([photos], tmp_path / "out", settings())
    steps = run_on_cluster(plan, client)
    next(steps)
    with pytest.raises(FileError, match="another run works in"):
        next(run_plan(plan))
    steps.close()


def test_stores_are_read_by_the_worker_that_has_their_file(settings, tmp_path, client):
    pytest.importorskip("zarr")
    for seed in range(3):
        pixels = picture(seed, (32, 48))
        write_picture(tmp_path / f"{seed}.zarr", pixels, Picture(pixels, "YX"))
    plan = make_plan([tmp_path], tmp_path / "out", settings())
    assert set(final_states(run_on_cluster(plan, client))) == {"done"}


@pytest.mark.slow
def test_two_clusters_at_once_have_separate_workers(photos, settings, tmp_path, client):
    with connect(None, 1) as other:
        assert other.scheduler.address != client.scheduler.address
        plan = make_plan([photos], tmp_path / "out", settings())
        assert set(final_states(run_on_cluster(plan, other))) == {"done"}


def test_dask_arrays_of_the_caller_are_not_computed_on_the_cluster(client):
    assert dask.delayed(os.getpid)().compute() == os.getpid()
    assert os.getpid() not in client.run(os.getpid).values()


def test_an_address_without_scheduler_is_an_error():
    with (
        pytest.raises(OptionError, match="no dask scheduler .*nonsense://x"),
        connect("nonsense://x", None),
    ):
        pass
    with pytest.raises(OptionError, match="cluster and workers"), connect("tcp://x:1", 2):
        pass
