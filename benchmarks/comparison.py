"""Speed beside published networks: ``python benchmarks/comparison.py [FOLDER [MEGAPIXELS ...]]``.

One run prints a table, and writes it and a plot into a folder, by default build/bench. Sizes are 1,
4 and 16 megapixels unless others are given. Every row is the median of three calls after one that
is not counted, in a process of its own. Networks that take long see a part of the photograph once,
and their time is multiplied by the ratio of the pixels. Ratios can be compared between machines;
seconds cannot.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

import napari_defocus
from measure import measure
from speed import HEIGHT, WIDTH, photo

#: Sides in pixels, and channels, of the convolutions whose best throughput is the peak.
_CONVOLUTIONS = ((560, 840, 32), (280, 420, 64), (140, 210, 128))
_MEGAPIXELS = (4, 16)
_MEGA, _GIGA = 1e6, 1e9
_ITERATIONS, _DISK = 30, 11
_COMMAND = str(Path(sys.executable).parent / "napari-defocus")


@dataclass(frozen=True)
class Row:
    """Name, seconds and multiply-adds for the photograph, and by what they were multiplied."""

    name: str
    seconds: float
    operations: float
    times: float = 1.0


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "build/bench")
    folder.mkdir(parents=True, exist_ok=True)
    megapixels = [1, *(int(word) for word in sys.argv[2:] or _MEGAPIXELS)]
    peak = measure(best_throughput, repeats=1).value
    rows = comparison_rows()
    sizes = {size: measure(map_and_deblur, size, repeats=1).seconds for size in megapixels}
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
    photo_map()  # so that its operations are not counted
    ours = [
        _row("map, one image", map_single),
        _row("map, two views", map_dual),
        _row("deblur, map given", deblur_only),
    ]
    both = replace(ours[0], name=OURS, seconds=ours[0].seconds + ours[2].seconds)
    both = replace(both, operations=ours[0].operations + ours[2].operations)
    rivals = [
        _row("`paper` preset", run_rival, "paper", part=(640, 896)),
        _row("NAFNet, width 32", run_rival, "nafnet", part=(560, 848)),
        _row("Restormer", run_rival, "restormer", part=(280, 424)),
    ]
    classical = measure(richardson_lucy, repeats=1).seconds
    return [
        *ours,
        both,
        *_rows_in("bfloat16", "cpu"),
        *_rows_on_accelerator(),
        *rivals,
        Row(f"Richardson-Lucy, {_ITERATIONS} iterations", classical, float("nan")),
    ]


#: Name of the row that the others are compared with.
OURS = "map and deblur"


def _rows_in(precision: str, device: str) -> list[Row]:
    """Return our rows in a precision, where the device has instructions for it."""
    import torch

    from napari_defocus.inference.device import has_bfloat16

    if precision == "bfloat16" and not has_bfloat16(torch.device(device)):
        return []
    how = f"{device}, {precision}"
    return [
        _row(f"map, one image, {how}", map_single, precision, device),
        _row(f"deblur, map given, {how}", deblur_only, precision, device),
    ]


def _rows_on_accelerator() -> list[Row]:
    import torch

    accelerator = torch.accelerator.current_accelerator(check_available=True)
    if accelerator is None:
        return []
    return [row for each in ("float32", "bfloat16") for row in _rows_in(each, accelerator.type)]


def _row(
    name: str, call: Callable[..., Any], *arguments: Any, part: tuple[int, int] | None = None
) -> Row:
    """Measure a call that sees the photograph, or a part of so many rows and columns once."""
    times, repeats = 1.0, 3
    if part is not None:
        times, repeats = HEIGHT * WIDTH / (part[0] * part[1]), 1
        arguments = (*arguments, *part)
    seconds = measure(call, *arguments, repeats=repeats).seconds
    row = Row(name, times * seconds, times * count_operations(call, *arguments), times)
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
        name = row.name + (f" (a part, times {row.times:.1f})" if row.times > 1 else "")
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
    panel = window_seconds(_DOCK) / window_seconds("")
    return [
        f"Time per megapixel, that of one megapixel = 1, at megapixels {per_megapixel}.",
        f"One thread takes {one / sizes[1]:.2f} times as long as all.",
        f"The command `napari-defocus deblur`, from its start to the written file of a megapixel, "
        f"takes {command / sizes[1]:.2f} times as long as the work in a process that is warm.",
        f"napari with the panel opens in {panel:.2f} times the time of napari alone.",
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


def map_single(precision: str = "float32", device: str = "cpu") -> None:
    napari_defocus.estimate_defocus(photo(), channel_axis=-1, precision=precision, device=device)


def map_dual() -> None:
    left = photo()
    right = np.roll(left, 2, axis=1)
    napari_defocus.estimate_defocus(left, right=right, channel_axis=-1, device="cpu")


def deblur_only(precision: str = "float32", device: str = "cpu") -> None:
    napari_defocus.deblur(photo(), photo_map(), channel_axis=-1, precision=precision, device=device)


@cache
def photo_map() -> Any:
    """Return the map of the photograph, which the first, untimed call makes."""
    return napari_defocus.estimate_defocus(photo(), channel_axis=-1)


def map_and_deblur(megapixels: int, threads: int | None = None) -> None:
    """Map and deblur the photograph, repeated to a number of megapixels."""
    import torch

    if threads:
        torch.set_num_threads(threads)
    napari_defocus.deblur(_photo_of(megapixels), channel_axis=-1, device="cpu")


def _photo_of(megapixels: int) -> Any:
    side = round((megapixels * _MEGA) ** 0.5)
    image = photo()
    repeats = [-(-side // length) for length in image.shape[:2]]
    rows = [np.concatenate([image[:, :: (-1) ** x] for x in range(repeats[1])], axis=1)]
    whole = np.concatenate([rows[0][:: (-1) ** y] for y in range(repeats[0])])
    return np.ascontiguousarray(whole[:side, :side])


def run_rival(name: str, height: int, width: int) -> None:
    """Run a network on an image of this size."""
    import torch

    network = rival(name)
    channels = 5 if name == "paper" else 3
    image = torch.rand(1, channels, height, width).to(memory_format=torch.channels_last)
    with torch.inference_mode():
        network(image)


@cache
def rival(name: str) -> Any:
    """Return a network, which the first, untimed call builds."""
    import torch

    from napari_defocus.networks.paper import PaperGenerator
    from rivals import NAFNet, Restormer

    kinds = {"paper": PaperGenerator, "nafnet": NAFNet, "restormer": Restormer}
    return kinds[name]().eval().to(memory_format=torch.channels_last)


def richardson_lucy() -> None:
    from skimage.restoration import richardson_lucy as deconvolve

    kernel = np.hypot(*np.mgrid[-5:6, -5:6]) <= _DISK / 2
    for channel in np.moveaxis(photo().astype(np.float32) / 255, -1, 0):
        deconvolve(channel, kernel / kernel.sum(), num_iter=_ITERATIONS)


#: Lines that add the panel to napari.
_DOCK = "viewer.window.add_plugin_dock_widget('napari-defocus', 'Defocus')"


def window_seconds(lines: str) -> float:
    """Return the median seconds of a process that opens napari and runs some lines."""
    code = f"import napari; viewer = napari.Viewer(show=False)\n{lines}\nviewer.close()"
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True, env=environment)
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


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
