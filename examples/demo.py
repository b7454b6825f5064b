"""Panels of photographs beside their defocus maps and deblurred pictures.

Run it from a checkout with ``make demo``, or give photographs of your own:
``python examples/demo.py PHOTO.jpg ...``. The panels go to the folder ``demo``.
"""

import argparse
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

import napari_defocus
from napari_defocus import deblur, estimate_defocus
from napari_defocus.io import read_picture

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # the checkout
from panels import compose_result

SAMPLES = Path(napari_defocus.__file__).parent / "samples"
Picture = npt.NDArray[Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photos", nargs="*", type=Path, help="color photographs")
    parser.add_argument(
        "--folder", type=Path, default=Path("demo"), help="where panels are written"
    )
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    if arguments.photos:
        for path in arguments.photos:
            write_panel(arguments.folder / f"{path.stem}.png", read_picture(path).data)
    else:
        write_sample_panels(arguments.folder)


def write_sample_panels(folder: Path, suffix: str = ".png") -> None:
    """Write panels of a photograph with its sharp reference, and of one without."""
    left, right, sharp = (
        read_picture(SAMPLES / f"stairwell-{name}.png").data for name in ("left", "right", "sharp")
    )
    # the whole pupil sees the mean of both halves
    photo = ((left.astype(np.uint16) + right + 1) // 2).astype(left.dtype)
    write_panel(folder / f"stairwell{suffix}", photo, sharp)
    write_panel(folder / f"canyon-wren{suffix}", read_picture(SAMPLES / "canyon-wren.jpg").data)


def write_panel(path: Path, image: Picture, reference: Picture | None = None) -> None:
    """Map and deblur one photograph, and write it beside its results and its reference."""
    start = time.perf_counter()
    defocus = estimate_defocus(image, channel_axis=-1)
    sharp = deblur(image, defocus, channel_axis=-1)
    seconds = time.perf_counter() - start
    panel = compose_result(image, defocus, sharp, reference)
    Image.fromarray(panel).save(path, quality=88)
    height, width = image.shape[:2]
    print(f"{path.resolve()}   ({width} x {height} mapped and deblurred in {seconds:.1f} s)")
    if reference is not None:
        before, after = _psnr(image, reference), _psnr(sharp, reference)
        print(f"    against its sharp reference: {before:.2f} dB before, {after:.2f} dB after")


def _psnr(image: Picture, reference: Picture) -> float:
    error = image.astype(np.float64) - reference
    top = np.iinfo(image.dtype).max
    return float(10 * np.log10(top**2 / np.mean(error**2)))


if __name__ == "__main__":
    main()
