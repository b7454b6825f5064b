"""Inference: tiles against the whole plane, lack of memory, failures, and state left behind."""

import threading
import warnings
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from napari_defocus.errors import DefocusError, DeviceError
from napari_defocus.inference import engine, runner
from napari_defocus.inference.engine import infer
from napari_defocus.options import Options
from napari_defocus.steps import run_to_end

CPU = Options(device="cpu")


@dataclass(frozen=True)
class NetworkInfo:
    receptive_radius: int
    multiple: int
    in_channels: int = 3
    out_channels: int = 2
    bfloat16: bool = True


class Sums(nn.Module):
    """Sums distant pixels and blocks, so that any error in halos or alignment shows."""

    def __init__(self, radius=9, multiple=8):
        super().__init__()
        self.descriptor = NetworkInfo(radius + multiple - 1, multiple)
        self.conv = nn.Conv2d(3, 2, 2 * radius + 1, padding=radius, bias=False)
        nn.init.zeros_(self.conv.weight)
        with torch.no_grad():
            self.conv.weight[:, :, [0, 0, -1, -1, radius], [0, -1, 0, -1, radius]] = 0.2

    def forward(self, x):
        multiple = self.descriptor.multiple
        blocks = nn.functional.avg_pool2d(self.conv(x), multiple)
        return self.conv(x) + nn.functional.interpolate(blocks, scale_factor=multiple)


class Limited(Sums):
    """Raises an error for tiles above a number of pixels; records the sizes of all tiles."""

    def __init__(self, most, error):
        super().__init__()
        self.most, self.error = most, error
        self.sizes = []

    def __deepcopy__(self, memo):
        return self

    def forward(self, x):
        self.sizes.append(x.shape[-2] * x.shape[-1])
        if self.sizes[-1] > self.most:
            raise self.error
        return super().forward(x)


class Remembers(Sums):
    """Returns its first output every time, in the same memory."""

    def __init__(self):
        super().__init__()
        self.output = None

    def __deepcopy__(self, memo):
        return self

    def forward(self, x):
        if self.output is None:
            self.output = super().forward(x).contiguous()
        return self.output


def random_plane(height, width, channels=3):
    return np.random.default_rng(0).random((channels, height, width), dtype=np.float32)


def infer_whole(network, image):
    return run_to_end(infer(network, image, Options(device="cpu", tile=None)))


@given(st.integers(4, 150), st.integers(4, 150), st.integers(16, 120), st.sampled_from([1, 4, 8]))
@settings(deadline=None, max_examples=25)
def test_tiled_is_infer_whole(height, width, tile, multiple):
    network, image = Sums(9, multiple), random_plane(height, width)
    tiled = run_to_end(infer(network, image, Options(device="cpu", tile=tile)))
    assert tiled.shape == (2, height, width)
    np.testing.assert_allclose(tiled, infer_whole(network, image), atol=1e-4)


def test_whole_is_the_network_s_own_result():
    network, image = Sums(), random_plane(128, 64)
    with torch.no_grad():
        expected = network(torch.from_numpy(image)[None])[0].numpy()
    np.testing.assert_allclose(infer_whole(network, image), expected, atol=1e-6)


def test_edges_are_reflected_up_to_a_size_that_networks_accept():
    network, image = Sums(), random_plane(17, 5)
    padded = np.pad(image, ((0, 0), (0, 64 - 17), (0, 64 - 5)), mode="reflect")
    np.testing.assert_allclose(
        infer_whole(network, image), infer_whole(network, padded)[:, :17, :5], atol=1e-6
    )


def test_progress_counts_tiles():
    steps = list(infer(Sums(), random_plane(128, 192), Options(device="cpu", tile=64)))
    assert [(step.done, step.total) for step in steps] == [(i + 1, 6) for i in range(6)]


def test_only_needed_tiles_are_done():
    network, image = Sums(), random_plane(128, 128)
    needed = np.zeros((128, 128), bool)
    needed[70:80, 100:110] = True
    steps = infer(network, image, Options(device="cpu", tile=32), needed)
    assert next(steps) == engine.Progress(1, 1)
    result = run_to_end(steps)
    np.testing.assert_allclose(result[:, needed], infer_whole(network, image)[:, needed], atol=1e-4)
    assert not result[:, :32].any()


def test_nothing_needed_is_nothing_done():
    steps = infer(Sums(), random_plane(64, 64), CPU, np.zeros((64, 64), bool))
    assert not run_to_end(steps).any()


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory"),
        RuntimeError("MPS backend out of memory"),
        MemoryError(),
    ],
)
def test_out_of_memory_halves_the_tiles_and_goes_on_from_there(error):
    image = random_plane(256, 256)
    network = Limited(110**2, error)
    with pytest.warns(
        UserWarning, match="cpu is out of memory; .* tiles of at most (64|32) pixels"
    ):
        steps = list(infer(network, image, Options(device="cpu", tile=128)))
    assert steps[-1].done == steps[-1].total
    assert [step.done for step in steps] == list(range(1, len(steps) + 1))
    failed = [size for size in network.sizes if size > network.most]
    assert len(network.sizes) == len(steps) + len(failed)  # nothing was computed twice
    network.sizes.clear()
    with pytest.warns(UserWarning, match="out of memory"):
        tiled = run_to_end(infer(network, image, Options(device="cpu", tile=128)))
    np.testing.assert_allclose(tiled, infer_whole(Sums(), image), atol=1e-4)


def test_tiles_done_before_memory_ran_out_are_kept():
    class Filling(Limited):
        def forward(self, x):
            self.most = 1 << 30 if len(self.sizes) < 3 else 100**2
            return super().forward(x)

    image, network = random_plane(256, 256), Filling(0, MemoryError())
    with pytest.warns(UserWarning, match="out of memory"):
        tiled = run_to_end(infer(network, image, Options(device="cpu", tile=128)))
    np.testing.assert_allclose(tiled, infer_whole(Sums(), image), atol=1e-4)
    large = [size for size in network.sizes if size > 150**2]
    assert len(large) == 4  # three that succeeded, and the one that failed


def test_too_little_memory_for_any_tile_is_an_error():
    network = Limited(0, MemoryError())
    with pytest.raises(DeviceError, match="smallest tiles"):
        run_to_end(infer(network, random_plane(128, 128), CPU))


@pytest.mark.skipif(not torch.accelerator.is_available(), reason="needs an accelerator")
def test_cpu_takes_over_from_an_accelerator_without_memory():
    class NeedsCpu(Sums):
        def forward(self, x):
            if x.device.type != "cpu":
                raise torch.OutOfMemoryError("out of memory")
            return super().forward(x)

    image = random_plane(128, 128)
    with pytest.warns(UserWarning, match="going on with the CPU"):
        result = run_to_end(infer(NeedsCpu(), image, Options(tile=64)))
    np.testing.assert_allclose(result, infer_whole(Sums(), image), atol=1e-4)


@pytest.mark.parametrize("tile", ["auto", 64, None])
def test_a_mask_trims_the_tiles_and_changes_nothing_within(tile):
    mask = np.zeros((300, 420), bool)
    mask[100:180, 200:230] = True
    network, image = Limited(1 << 30, MemoryError()), random_plane(*mask.shape)
    options = Options(device="cpu", tile=tile)
    result = run_to_end(infer(network, image, options, mask))
    assert sum(network.sizes) < mask.size / 2
    np.testing.assert_allclose(result[:, mask], infer_whole(network, image)[:, mask], atol=1e-4)
    assert not run_to_end(infer(network, image, options, np.zeros_like(mask))).any()


def test_failing_network_is_no_runtime_error():
    network = Limited(0, RuntimeError("mat1 and mat2 shapes cannot be multiplied"))
    with pytest.raises(DefocusError, match="mat1 and mat2") as caught:
        run_to_end(infer(network, random_plane(64, 64), CPU))
    assert not isinstance(caught.value, RuntimeError)


def test_automatic_tiles_are_the_same_for_any_number_of_threads():
    network = Limited(1 << 30, MemoryError())
    network.operations_per_pixel, before = 8e5, torch.get_num_threads()
    sizes = []
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            run_to_end(infer(network, random_plane(480, 480), CPU))
            sizes.append(network.sizes)
            network.sizes = []
    finally:
        torch.set_num_threads(before)
    assert len(sizes[0]) > 4
    assert sizes[0] == sizes[1]


def test_changing_a_result_changes_no_later_one():
    network, image = Remembers(), random_plane(64, 64)
    result = infer_whole(network, image)
    result += 1
    np.testing.assert_allclose(infer_whole(network, image), result - 1, atol=1e-6)


def test_network_is_left_as_it_is():
    network = Sums().train()
    before = network.conv.weight.stride()
    infer_whole(network, random_plane(64, 64))
    assert network.training
    assert network.conv.weight.requires_grad
    assert network.conv.weight.stride() == before


class Uncopied(Sums):
    """Cannot be copied."""

    def __deepcopy__(self, memo):
        raise NotImplementedError("copied")


def test_a_network_that_is_ready_is_not_copied():
    network = Uncopied().eval().requires_grad_(False).to(memory_format=torch.channels_last)
    np.testing.assert_array_equal(
        infer_whole(network, random_plane(64, 64)), infer_whole(Sums().eval(), random_plane(64, 64))
    )


@pytest.mark.parametrize(
    "change",
    [
        lambda network: network.conv.train(),
        lambda network: network.conv.weight.requires_grad_(),
        lambda network: network.to(memory_format=torch.contiguous_format),
    ],
)
def test_a_network_that_is_not_ready_is_copied(change):
    network = Uncopied().eval().requires_grad_(False).to(memory_format=torch.channels_last)
    change(network)
    with pytest.raises(NotImplementedError, match="copied"):
        infer_whole(network, random_plane(64, 64))


@pytest.mark.filterwarnings("ignore:.*bfloat16")
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_between_tiles_torch_is_as_it_was(precision):
    threads = torch.get_num_threads()
    for _ in infer(
        Sums(), random_plane(128, 128), Options(device="cpu", precision=precision, tile=64)
    ):
        assert torch.is_grad_enabled()
        assert not torch.is_inference_mode_enabled()
        assert not torch.is_autocast_enabled("cpu")
        assert torch.get_num_threads() == threads


def with_bfloat16(monkeypatch, supported):
    """Let torch say whether the processor has instructions for bfloat16; it emulates them."""
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": supported})


@pytest.mark.filterwarnings("ignore:float32 would be faster")
def test_half_precision_is_near(monkeypatch):
    with_bfloat16(monkeypatch, True)
    network, image = Sums(), random_plane(128, 128)
    half = run_to_end(infer(network, image, Options(device="cpu", precision="bfloat16", tile=None)))
    full = infer_whole(network, image)
    assert 0 < np.abs(half - full).max() < 0.05


def test_half_precision_without_instructions_is_float32_with_a_warning(monkeypatch):
    with_bfloat16(monkeypatch, False)
    network, image = Sums(), random_plane(128, 128)
    with pytest.warns(UserWarning, match="cpu has no instructions for bfloat16"):
        result = run_to_end(
            infer(network, image, Options(device="cpu", precision="bfloat16", tile=None))
        )
    np.testing.assert_array_equal(result, infer_whole(network, image))


class SlowInHalf(Sums):
    """Does eight times the work under autocast."""

    def forward(self, x):
        for _ in range(8 if torch.is_autocast_enabled("cpu") else 1):
            result = super().forward(x)
        return result


def test_half_precision_that_is_slower_is_used_with_a_notice(monkeypatch):
    with_bfloat16(monkeypatch, True)
    network, image = SlowInHalf(), random_plane(96, 96)
    options = Options(device="cpu", precision="bfloat16", tile=None)
    with pytest.warns(UserWarning, match="float32 would be faster"):
        half = run_to_end(infer(network, image, options))
    assert np.abs(half - infer_whole(network, image)).max() > 0
    with warnings.catch_warnings(action="error"):  # once for each network
        run_to_end(infer(network, image, options))


class FirstIsWrong(Sums):
    """Errs in its first results, as an untested device would."""

    def __init__(self, wrong):
        super().__init__()
        self.wrong, self.calls = wrong, 0

    def __deepcopy__(self, memo):
        return self

    def forward(self, x):
        self.calls += 1
        return super().forward(x) + 0.1 * (self.calls <= self.wrong)


def test_untested_device_is_compared_with_the_cpu_once(monkeypatch):
    monkeypatch.setattr(runner, "_TESTED_DEVICES", set())
    network, image = FirstIsWrong(0), random_plane(64, 64)
    for calls in (3, 4):  # the first time two more, for the comparison
        np.testing.assert_array_equal(infer_whole(network, image), infer_whole(Sums(), image))
        assert network.calls == calls


def test_untested_device_that_differs_from_the_cpu_is_refused(monkeypatch):
    monkeypatch.setattr(runner, "_TESTED_DEVICES", set())
    with pytest.raises(DeviceError, match="other results than the CPU .*0.1.*choose .* 'cpu'"):
        infer_whole(FirstIsWrong(1), random_plane(64, 64))


def test_threads_may_infer_at_once():
    image, results = random_plane(100, 130), []

    def work():
        results.append(run_to_end(infer(Sums(), image, Options(device="cpu", tile=48))))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 4
    for result in results:
        np.testing.assert_array_equal(result, results[0])


def test_work_can_be_left_at_any_tile():
    steps = infer(Sums(), random_plane(128, 128), Options(device="cpu", tile=32))
    next(steps)
    steps.close()
    assert list(steps) == []
