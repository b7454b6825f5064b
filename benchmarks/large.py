"""Memory and time of large images.

``python benchmarks/large.py [MEGAPIXELS]``
    A photograph is made in a temporary folder, mapped and deblurred by a batch. Peak
    memory is printed above that of the same work on an image of one tile, weights included. Time is
    printed as a multiple of that of its tiles: squares of 2048 pixels, some before and some after,
    each mapped and deblurred alone, in memory; and as a multiple of the time that its networks take
    by themselves.

``python benchmarks/large.py files FOLDER [SUFFIX ...]``
    Files of 2.1 GB are made in a folder, unless they are there, and given to commands. Peak memory
    is printed above that of a process that has loaded torch and the weights. ``--downscale 8``
    shortens the work of the networks, whose tiles are the same at any level, but not that on the
    full-size planes.

``python benchmarks/large.py stack FOLDER [PLANES [SIDE]]``
    A stack of 200 planes of 2048 x 2048 (uint16) is made in a folder, as zarr and as TIFF, unless
    it is there, and given to ``focus`` and ``all-in-focus``. Peak memory is printed above that of
    a process that has profiled two small planes.
"""

import multiprocessing
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tifffile

import napari_defocus
from large_files import WRITERS
from large_stack import STACK_WRITERS

PHOTO = Path(napari_defocus.__file__).parent / "samples" / "canyon-wren.jpg"
_CHUNK = 512
_TILE = 2048
_TILES = 3
#: Planes of a file, their side, and the side of a slide, in pixels.
_PLANES, _SIDE, _SLIDE = 16, 8192, 26_624
_FOCUS = ["--focus", "2", "--aperture", "1", "--downscale", "8"]


def main() -> None:
    if sys.argv[1:2] == ["files"]:
        measure_files(Path(sys.argv[2]), sys.argv[3:] or list(WRITERS))
        return
    if sys.argv[1:2] == ["stack"]:
        measure_stacks(Path(sys.argv[2]), *map(int, sys.argv[3:]))
        return
    megapixels = float(sys.argv[1]) if len(sys.argv) > 1 else 400
    side = int((megapixels * 1e6) ** 0.5)
    with tempfile.TemporaryDirectory() as folder:
        small, large = Path(folder) / "small.tif", Path(folder) / "large.tif"
        make(small, 256)
        make(large, side)
        spawned = multiprocessing.get_context("spawn").Pool
        with spawned(1) as pool, spawned(1) as other:
            before, *_ = pool.apply(run, (small,))
            apart = [other.apply(tiles, (large, 0))]
            peak, seconds, networks = pool.apply(run, (large,))
            apart.append(other.apply(tiles, (large, 1)))
    alone = side**2 * sum(apart) / len(apart)
    print(
        f"{side}x{side}: {seconds:.0f} s, x{seconds / alone:.3f} of its tiles, "
        f"x{seconds / networks:.3f} of its networks; "
        f"peak memory {peak - before:.0f} MB above {before:.0f} MB"
    )


def make(path: Path, side: int) -> None:
    """Write the sample photograph again and again, mirrored at the seams."""
    from napari_defocus.io import read_picture

    photo = read_picture(PHOTO).data
    photo = np.concatenate([photo, photo[::-1]])
    photo = np.concatenate([photo, photo[:, ::-1]], axis=1)
    image = tifffile.memmap(path, shape=(side, side, 3), dtype=np.uint8, photometric="rgb")
    columns = np.arange(side) % photo.shape[1]
    for top in range(0, side, _CHUNK):
        rows = np.arange(top, min(top + _CHUNK, side)) % photo.shape[0]
        image[top : top + _CHUNK] = photo[rows][:, columns]


def run(path: Path) -> tuple[float, float, float]:
    """Return the peak of the process in megabytes, seconds, and seconds spent in networks."""
    from napari_defocus.batch.plan import make_plan
    from napari_defocus.batch.run import run_plan
    from napari_defocus.batch.settings import Settings
    from napari_defocus.inference.runner import DeviceNetwork

    spent = []
    tile = DeviceNetwork.run

    def timed(runner: Any, planes: Any) -> Any:
        began = time.perf_counter()
        result = tile(runner, planes)
        spent.append(time.perf_counter() - began)
        return result

    DeviceNetwork.run = timed  # type: ignore[method-assign]
    began = time.perf_counter()
    for event in run_plan(make_plan([path], path.parent / "out", Settings(task="both"))):
        if event.outcome is not None and event.outcome.state != "done":
            raise RuntimeError(event.outcome.message)  # SystemExit would leave the pool waiting
    seconds = time.perf_counter() - began
    DeviceNetwork.run = tile  # type: ignore[method-assign]
    return peak_memory(), seconds, sum(spent)


def tiles(path: Path, seed: int) -> float:
    """Return the seconds a pixel that some tiles of an image take, each by itself."""
    image = tifffile.memmap(path, mode="r")
    length = image.shape[0]
    side = min(_TILE, length)
    places = np.random.default_rng(seed).integers(0, length - side + 1, (_TILES + 1, 2))
    spent = []
    for top, left in places:
        tile = image[top : top + side, left : left + side]
        began = time.perf_counter()
        defocus = napari_defocus.estimate_defocus(tile, channel_axis=-1)
        napari_defocus.deblur(tile, defocus, channel_axis=-1)
        spent.append(time.perf_counter() - began)
    return sum(spent[1:]) / (_TILES * side**2)  # the first one loads the networks


def measure_files(folder: Path, suffixes: list[str]) -> None:
    """Print the peak memory of commands on large files."""
    folder.mkdir(parents=True, exist_ok=True)
    loaded, _ = in_own_process(load_all)
    print(f"torch and the weights: {loaded:.0f} MB", flush=True)
    for suffix in suffixes:
        path = folder / f"large{suffix}"
        if not path.exists():
            WRITERS[suffix](path, _PLANES, _SLIDE if suffix == ".svs" else _SIDE)
        out = ".zarr" if suffix == ".zarr" else ".tif"
        for command, options in (
            ("info", []),
            ("map", [folder / f"map{out}", "--downscale", "8"]),
            ("deblur", [folder / f"sharp{out}", "--downscale", "8"]),
            ("refocus", [folder / f"new{out}", *_FOCUS]),
        ):
            words = [command, path, *options, *(["--overwrite"] if options else [])]
            peak, seconds = in_own_process(run_command, list(map(str, words)))
            print(f"{suffix:12}{command:9}{peak - loaded:6.0f} MB{seconds:8.0f} s", flush=True)


def measure_stacks(folder: Path, planes: int = 200, side: int = 2048) -> None:
    """Print the peak memory of commands on long stacks."""
    folder.mkdir(parents=True, exist_ok=True)
    loaded, _ = in_own_process(profile_small)
    print(f"torch and the weights: {loaded:.0f} MB", flush=True)
    for suffix, write in STACK_WRITERS.items():
        path = folder / f"stack{suffix}"
        if not path.exists():
            write(path, planes, side)
        for words in (
            ["focus", path, "--csv", folder / "focus.csv"],
            ["all-in-focus", path, folder / "sharp.tif", "--depth", folder / "depth.tif"],
        ):
            peak, seconds = in_own_process(run_command, [*map(str, words), "--overwrite"])
            print(f"{suffix:6}{words[0]:14}{peak - loaded:6.0f} MB{seconds:8.0f} s", flush=True)


def in_own_process(call: Callable[..., None], *arguments: Any) -> tuple[float, float]:
    """Return the peak of a new process that makes a call, in megabytes, and the seconds."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_peak_of, (call, *arguments))


def _peak_of(call: Callable[..., None], *arguments: Any) -> tuple[float, float]:
    began = time.perf_counter()
    call(*arguments)
    return peak_memory(), time.perf_counter() - began


def load_all() -> None:
    """Load the weights of all models."""
    from napari_defocus.models import list_models, load_network

    networks = [load_network(card) for card in list_models()]
    assert networks


def profile_small() -> None:
    """Profile the focus of two small planes."""
    napari_defocus.focus_profile(np.zeros((2, 64, 64), np.uint16))


def run_command(words: list[str]) -> None:
    """Run a command of the command line."""
    from napari_defocus.cli import main as command

    sys.argv = ["napari-defocus", *words]
    try:
        command()
    except SystemExit as end:
        if end.code:
            raise RuntimeError(f"{' '.join(words)} failed") from end


def peak_memory() -> float:
    """Return the peak of this process in megabytes, without that of the one that started it."""
    status = Path("/proc/self/status")
    if status.exists():
        lines = status.read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 2**10
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


if __name__ == "__main__":
    main()
