"""Tiles computed by the workers of an executor."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from torch import nn

from napari_defocus.errors import DefocusError, DeviceError
from napari_defocus.inference.engine import infer
from napari_defocus.inference.executor import TileExecutor, current_executor, run_with_executor
from napari_defocus.networks import build
from napari_defocus.networks.descriptor import Descriptor
from napari_defocus.options import Options
from napari_defocus.steps import run_to_end

TILES = Options(device="cpu", precision="float32", tile=64)


@pytest.fixture
def plane():
    return np.random.default_rng(0).random((5, 200, 170), np.float32)


@pytest.fixture
def network():
    torch.manual_seed(0)
    return build("single-estimator", {"widths": [4, 8, 8], "blocks": [1, 1, 1, 1]}).eval()


@pytest.fixture
def executor():
    with ThreadPoolExecutor(3) as executor:
        yield executor


def test_result_is_that_of_tiles_computed_without_workers(network, plane, executor):
    local = run_to_end(infer(network, plane, TILES))
    shared = run_to_end(run_with_executor(TileExecutor(executor, 3), infer(network, plane, TILES)))
    np.testing.assert_array_equal(shared, local)


def test_progress_comes_tile_by_tile(network, plane, executor):
    progress = list(run_with_executor(TileExecutor(executor, 3), infer(network, plane, TILES)))
    assert [step.done for step in progress] == list(range(1, progress[-1].total + 1))


def test_executor_is_current_only_during_its_steps(executor):
    workers = TileExecutor(executor, 1)

    def steps():
        yield current_executor()
        return current_executor()

    running = run_with_executor(workers, steps())
    assert next(running) is workers
    assert current_executor() is None
    with pytest.raises(StopIteration) as ended:
        next(running)
    assert ended.value.value is workers


class Failing(nn.Module):
    descriptor = Descriptor("single", receptive_radius=8, multiple=8)

    def __init__(self, error):
        super().__init__()
        self.error = error

    def forward(self, x):
        raise self.error


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (RuntimeError("no such kernel"), DefocusError, "no such kernel"),
        (MemoryError(), DeviceError, "out of memory"),
        (KeyError("lost"), DefocusError, "the workers failed: KeyError: 'lost'"),
    ],
)
def test_failures_of_workers_are_reported(error, kind, words, plane, executor):
    with pytest.raises(kind, match=words):
        run_to_end(
            run_with_executor(TileExecutor(executor, 2), infer(Failing(error), plane, TILES))
        )


def test_submitted_tiles_are_canceled_with_the_steps(network, plane):
    with ThreadPoolExecutor(1) as executor:
        steps = run_with_executor(TileExecutor(executor, 8), infer(network, plane, TILES))
        next(steps)
        steps.close()
        executor.shutdown(wait=True, cancel_futures=False)
        with pytest.raises(StopIteration):
            next(steps)
