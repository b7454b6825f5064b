"""Speed and memory on this machine: ``make bench``.

Ratios between two settings within one run can be compared between machines; seconds cannot.
"""

import subprocess
import sys
import time
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

import napari_defocus
from measure import measure

HEIGHT, WIDTH = 1120, 1680
PHOTO = Path(napari_defocus.__file__).parent / "samples" / "canyon-wren.jpg"


def main() -> None:
    print(f"import napari_defocus over import numpy: {import_seconds():+.3f} s")
    report_photo()
    for task in ("single", "dual", "deblur"):
        report_network(task)


def import_seconds() -> float:
    """Return the seconds that importing napari_defocus adds to numpy's; fastest of 7 each."""
    return _fastest("import napari_defocus, numpy") - _fastest("import numpy")


def _fastest(code: str) -> float:
    seconds = []
    for _ in range(7):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True)
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def report_photo() -> None:
    """Print time and memory of the public functions for a whole photograph."""
    mapped = measure(map_photo, repeats=2)
    both = measure(map_and_deblur_photo, repeats=2)
    print(
        f"{HEIGHT}x{WIDTH} RGB: map {mapped.seconds:.2f} s, map and deblur {both.seconds:.2f} s, "
        f"peak memory {both.megabytes:.0f} MB"
    )


def report_network(task: str) -> None:
    """Print the ratios that justify the engine's defaults, for the default model of a task."""
    whole = measure(infer_network, task, {"tile": None})
    tiled = measure(infer_network, task, {"tile": 256})
    half = measure(infer_network, task, {"tile": None, "precision": "bfloat16"})
    plain = measure(infer_network, task, {"tile": None}, False)
    print(f"{task}: {whole.seconds:.2f} s whole, {whole.megabytes:.0f} MB")
    print(f"  tiles of 256 to whole: {_compare(tiled, whole)}, memory {_memory(tiled, whole)}")
    print(f"  bfloat16 to float32: {_compare(half, whole)}")
    print(f"  freed memory kept to given back: time x{whole.seconds / plain.seconds:.2f}")


def _compare(one: Any, other: Any) -> str:
    difference = float(np.abs(one.value - other.value).max())
    return f"time x{one.seconds / other.seconds:.2f}, largest difference {difference:.1e}"


def _memory(one: Any, other: Any) -> str:
    return f"x{one.megabytes / other.megabytes:.2f}"


# Functions that run in a process of their own.


def photo() -> npt.NDArray[np.uint8]:
    """Return the sample photograph, mirrored at its edges to the size that papers report."""
    from napari_defocus.io import read_picture

    picture: npt.NDArray[np.uint8] = read_picture(PHOTO).data
    missing = [(0, HEIGHT - picture.shape[0]), (0, WIDTH - picture.shape[1]), (0, 0)]
    return np.pad(picture, missing, mode="symmetric")


def map_photo() -> None:
    napari_defocus.estimate_defocus(photo(), channel_axis=-1)


def map_and_deblur_photo() -> None:
    image = photo()
    defocus = napari_defocus.estimate_defocus(image, channel_axis=-1)
    napari_defocus.deblur(image, defocus, channel_axis=-1)


def infer_network(task: Any, options: dict[str, Any], keep: bool = True) -> npt.NDArray[np.float32]:
    """Run the default network of a task over the photograph, on the CPU."""
    from napari_defocus.inference import engine
    from napari_defocus.models import find_model, load_network
    from napari_defocus.options import Options

    if not keep:
        engine.keep_freed_memory = nullcontext
    network = load_network(find_model("auto", task))
    rgb = np.moveaxis(photo().astype(np.float32) / 255, -1, 0)
    radius = np.linspace(0, 12, WIDTH, dtype=np.float32) * np.ones((HEIGHT, 1), np.float32)
    views = [rgb, np.roll(rgb, 2, axis=-1)] if task == "dual" else [rgb]
    planes = np.concatenate([*views, radius[None], np.ones_like(radius)[None]])
    cpu = Options(**{"device": "cpu", "precision": "float32", **options})
    return engine.run_to_end(engine.infer(network, planes, cpu))


if __name__ == "__main__":
    main()
