"""Speed beside published networks: ``python benchmarks/comparison.py [FOLDER]``.

One run prints a table, and writes it and a plot into a folder, by default build/bench. Every row is
the median of several calls, each row in a process of its own. Ratios can be compared between
machines; seconds cannot. Networks that take long see a part of the photograph, and their time is
multiplied by the number of parts.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

import napari_defocus
from measure import measure
from speed import HEIGHT, WIDTH, photo

#: Sides in pixels, and channels, of the convolutions whose best throughput is the peak.
_CONVOLUTIONS = ((560, 840, 32), (280, 420, 64), (140, 210, 128))
_MEGAPIXELS = (1, 4, 16)
_MEGA, _GIGA = 1e6, 1e9
_ITERATIONS, _DISK = 30, 11
_COMMAND = str(Path(sys.executable).parent / "napari-defocus")


@dataclass(frozen=True)
class Row:
    """Name, seconds at the size of the photograph, multiply-adds, and in how many parts."""

    name: str
    seconds: float
    operations: float
    parts: int = 1


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "build/bench")
    folder.mkdir(parents=True, exist_ok=True)
    peak = measure(best_throughput, repeats=1).value
    rows = list(comparison_rows())
    sizes = {size: measure(map_and_deblur, size, repeats=1).seconds for size in _MEGAPIXELS}
    lines = [
        f"{os.cpu_count()} processors; the best 3x3 convolution makes {peak / _GIGA:.1f} billion "
        f"multiply-adds a second. {HEIGHT}x{WIDTH} pixels, RGB, float32.",
        "",
        *table(rows, peak),
        "",
        *(f"- {line}" for line in further_ratios(sizes)),
    ]
    print("\n".join(lines))
    (folder / "speed.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    draw(rows, folder / "speed.png")


def comparison_rows() -> list[Row]:
    """Return the rows of the table: ours first."""
    ours = [
        _row("map, one image", map_single),
        _row("map, two views", map_dual),
        _row("deblur, map given", deblur_only),
    ]
    both = replace(ours[0], name=OURS, seconds=ours[0].seconds + ours[2].seconds)
    both = replace(both, operations=ours[0].operations + ours[2].operations)
    rivals = [
        _row("`paper` preset", run_rival, "paper", 4, parts=4),
        _row("NAFNet, width 32", run_rival, "nafnet", 4, parts=4),
        _row("Restormer", run_rival, "restormer", 16, parts=16),
    ]
    classical = measure(richardson_lucy, repeats=1).seconds
    return [
        *ours,
        both,
        *_bfloat16_rows(),
        *rivals,
        Row(f"Richardson-Lucy, {_ITERATIONS} iterations", classical, float("nan")),
    ]


#: Name of the row that the others are compared with.
OURS = "map and deblur"


def _bfloat16_rows() -> list[Row]:
    import torch

    from napari_defocus.inference.device import has_bfloat16

    if not has_bfloat16(torch.device("cpu")):
        return []
    return [
        _row("map, one image, bfloat16", map_single, "bfloat16"),
        _row("deblur, map given, bfloat16", deblur_only, "bfloat16"),
    ]


def _row(name: str, call: Callable[..., Any], *arguments: Any, parts: int = 1) -> Row:
    seconds = measure(call, *arguments).seconds
    row = Row(name, parts * seconds, parts * count_operations(call, *arguments), parts)
    print(f"{name}: {row.seconds:.2f} s", file=sys.stderr, flush=True)
    return row


def table(rows: list[Row], peak: float) -> list[str]:
    """Return the lines of the table."""
    ours = next(row.seconds for row in rows if row.name == OURS)
    lines = [
        "| | time, map and deblur = 1 | billion multiply-adds | share of the convolution's speed |",
        "|---|---|---|---|",
    ]
    for row in rows:
        name = row.name + (f" (a part, times {row.parts})" if row.parts > 1 else "")
        share, operations = "", ""
        if row.operations == row.operations:
            operations = f"{row.operations / _GIGA:.0f}"
            share = f"{100 * row.operations / row.seconds / peak:.0f} %"
        lines.append(f"| {name} | {row.seconds / ours:.2f} | {operations} | {share} |")
    return lines


def further_ratios(sizes: dict[int, float]) -> list[str]:
    """Return sentences on sizes, threads and the first call."""
    each = {size: seconds / size for size, seconds in sizes.items()}
    per_megapixel = ", ".join(f"{size}: {cost / each[1]:.2f}" for size, cost in each.items())
    one = measure(map_and_deblur, 1, 1, repeats=1).seconds
    command = command_seconds()
    return [
        f"Time per megapixel, that of one megapixel = 1, at megapixels {per_megapixel}.",
        f"One thread takes {one / sizes[1]:.2f} times as long as all.",
        f"The command `napari-defocus deblur`, from its start to the written file of a megapixel, "
        f"takes {command / sizes[1]:.2f} times as long as the work in a process that is warm.",
    ]


def draw(rows: list[Row], path: Path) -> None:
    """Draw the times as bars on a logarithmic axis."""
    from matplotlib.figure import Figure

    ours = next(row.seconds for row in rows if row.name == OURS)
    names = [row.name.replace("`", "") for row in rows]
    times = [row.seconds / ours for row in rows]
    figure = Figure(figsize=(7, 0.4 * len(rows) + 1), layout="constrained")
    axes = figure.subplots()
    colors = ["tab:orange" if row.name == OURS else "tab:blue" for row in rows]
    bars = axes.barh(names, times, color=colors)
    axes.bar_label(bars, fmt="%.2f", padding=3)
    axes.set(xscale="log", xlabel="time; map and deblur = 1", xlim=(None, 3 * max(times)))
    axes.invert_yaxis()
    figure.savefig(path, dpi=150)


def count_operations(call: Callable[..., Any], *arguments: Any) -> float:
    """Return the multiply-adds of a call."""
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter:
        call(*arguments)
    return counter.get_total_flops() / 2


# Functions that run in a process of their own.


def best_throughput() -> float:
    """Return the multiply-adds a second of the fastest 3x3 convolution."""
    import torch

    best = 0.0
    with torch.inference_mode():
        for height, width, channels in _CONVOLUTIONS:
            layer = torch.nn.Conv2d(channels, channels, 3, padding=1)
            layer = layer.to(memory_format=torch.channels_last)
            image = torch.rand(1, channels, height, width).to(memory_format=torch.channels_last)
            seconds = []
            for _ in range(10):
                start = time.perf_counter()
                layer(image)
                seconds.append(time.perf_counter() - start)
            best = max(best, 9 * channels**2 * height * width / statistics.median(seconds))
    return best


def map_single(precision: str = "auto") -> None:
    napari_defocus.estimate_defocus(photo(), channel_axis=-1, precision=precision)


def map_dual() -> None:
    left = photo()
    napari_defocus.estimate_defocus(left, right=np.roll(left, 2, axis=1), channel_axis=-1)


def deblur_only(precision: str = "auto") -> None:
    image = photo()
    if precision not in _MAPS:
        _MAPS[precision] = napari_defocus.estimate_defocus(image, channel_axis=-1)
    napari_defocus.deblur(image, _MAPS[precision], channel_axis=-1, precision=precision)


#: Maps that the first, untimed call makes.
_MAPS: dict[str, Any] = {}


def map_and_deblur(megapixels: int, threads: int | None = None) -> None:
    """Map and deblur the photograph, repeated to a number of megapixels."""
    import torch

    if threads:
        torch.set_num_threads(threads)
    napari_defocus.deblur(_photo_of(megapixels), channel_axis=-1)


def _photo_of(megapixels: int) -> Any:
    side = round((megapixels * _MEGA) ** 0.5)
    image = photo()
    repeats = [-(-side // length) for length in image.shape[:2]]
    rows = [np.concatenate([image[:, :: (-1) ** x] for x in range(repeats[1])], axis=1)]
    whole = np.concatenate([rows[0][:: (-1) ** y] for y in range(repeats[0])])
    return np.ascontiguousarray(whole[:side, :side])


def run_rival(name: str, parts: int) -> None:
    """Run a network on one of some parts of the photograph."""
    import torch

    if name not in _NETWORKS:
        _NETWORKS[name] = _build(name)
    network, multiple, channels = _NETWORKS[name]
    divisor = round(parts**0.5)
    shape = [-(-length // divisor // multiple) * multiple for length in (HEIGHT, WIDTH)]
    image = torch.rand(1, channels, *shape).to(memory_format=torch.channels_last)
    with torch.inference_mode():
        network(image)


#: Networks that the first, untimed call builds.
_NETWORKS: dict[str, Any] = {}


def _build(name: str) -> Any:
    import torch

    from napari_defocus.networks.paper import PaperGenerator
    from rivals import NAFNet, Restormer

    kinds = {"paper": PaperGenerator, "nafnet": NAFNet, "restormer": Restormer}
    network = kinds[name]().eval().to(memory_format=torch.channels_last)
    multiple = network.descriptor.multiple if name == "paper" else network.multiple
    return network, multiple, 5 if name == "paper" else 3


def richardson_lucy() -> None:
    from skimage.restoration import richardson_lucy as deconvolve

    kernel = np.hypot(*np.mgrid[-5:6, -5:6]) <= _DISK / 2
    for channel in np.moveaxis(photo().astype(np.float32) / 255, -1, 0):
        deconvolve(channel, kernel / kernel.sum(), num_iter=_ITERATIONS)


def command_seconds() -> float:
    """Return the median seconds of the command on a JPEG of one megapixel."""
    from PIL import Image

    seconds = []
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "photo.jpg"
        Image.fromarray(_photo_of(1)).save(source, quality=95)
        for number in range(3):
            words = ["deblur", str(source), str(Path(folder) / f"sharp-{number}.jpg")]
            start = time.perf_counter()
            subprocess.run([_COMMAND, *words], check=True, stdout=subprocess.DEVNULL)
            seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


if __name__ == "__main__":
    main()
