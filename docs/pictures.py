"""Make the panels that the README shows, with the program as it is: ``make pictures``."""

import sys
from pathlib import Path

import numpy as np
from PIL import Image

from napari_defocus import deblur, estimate_defocus
from napari_defocus.colours import paint_map
from napari_defocus.panel import Column, busiest_square, compose
from napari_defocus.viewer.samples import known_radii

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "docs" / "pictures"

sys.path.insert(0, str(ROOT / "examples"))
from demo import write_sample_panels  # noqa: E402


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    write_sample_panels(FOLDER, ".jpg")
    write_known_radii(FOLDER / "known-radii.jpg")


def write_known_radii(path: Path) -> None:
    """A generated scene beside its truth: the only panel where the right answer is known."""
    sharp, true, seen = (layer[0] for layer in known_radii())
    defocus = estimate_defocus(seen, channel_axis=-1)
    restored = deblur(seen, defocus, channel_axis=-1)
    limit = float(true.max())
    panel = compose(
        [
            Column("as the camera sees it", seen),
            Column("true map", paint_map(true, limit=limit), limit),
            Column("estimated map", paint_map(defocus.radius, limit=limit), limit),
            Column("deblurred", restored),
            Column("sharp scene", sharp),
        ],
        detail=busiest_square(seen, restored, 112),
    )
    Image.fromarray(panel).save(path, quality=88)
    print(f"{path}   (mean error of the radius {np.abs(defocus.radius - true).mean():.2f} px)")


if __name__ == "__main__":
    main()
