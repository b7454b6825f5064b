"""Panels of the README, made with the code as it is: ``make pictures``."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from napari_defocus import check, deblur, estimate_defocus
from napari_defocus.map_colors import paint_map, paint_unsupported
from napari_defocus.viewer.files.samples import known_radii

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "docs" / "pictures"

sys.path[:0] = [str(ROOT), str(ROOT / "docs"), str(ROOT / "examples")]
from picture_sources import record  # noqa: E402

from demo import write_sample_panels  # noqa: E402
from panels import Column, busiest_square, compose  # noqa: E402
from training.evaluation.microscopy.specimens import specimens  # noqa: E402

#: Number of the specimen among those that are scored.
_SPECIMEN = 3
#: Row and column of the letters that are planted in the generated scene.
_FRAUD = (100, 60)


def main() -> None:
    for path in make_pictures(FOLDER):
        record(path)


def make_pictures(folder: Path) -> list[Path]:
    """Write all panels into a folder; return their paths."""
    write_sample_panels(folder, ".jpg")
    names = "stairwell", "canyon-wren", "known-radii", "specimen", "planted-fraud"
    *samples, radii, specimen, fraud = (folder / f"{name}.jpg" for name in names)
    write_known_radii(radii)
    write_specimen(specimen)
    write_fraud(fraud)
    return [*samples, radii, specimen, fraud]


def write_known_radii(path: Path) -> None:
    """Write a generated scene beside its true map."""
    sharp, true, photo = (layer[0] for layer in known_radii())
    defocus = estimate_defocus(photo, channel_axis=-1)
    restored = deblur(photo, defocus, channel_axis=-1)
    limit = float(true.max())
    panel = compose(
        [
            Column("as the camera sees it", photo),
            Column("true map", paint_map(true, limit=limit), limit),
            Column("estimated map", paint_map(defocus.radius, limit=limit), limit),
            Column("deblurred", restored),
            Column("sharp scene", sharp),
        ],
        detail=busiest_square(photo, restored, 112),
    )
    Image.fromarray(panel).save(path, quality=88)
    print(f"{path}   (mean error of the radius {np.abs(defocus.radius - true).mean():.2f} px)")


def write_specimen(path: Path) -> None:
    """Write a specimen of a kind, and in optics, that no network was trained on."""
    *_, (scene,) = specimens(_SPECIMEN + 1, seed=31)
    defocus = estimate_defocus(scene.counts)
    restored = deblur(scene.counts, defocus)
    columns = [
        Column(f"{scene.light.max():.0f} photons at most, {scene.radius:.1f} px", scene.counts),
        Column("restored", restored),
        Column("in focus, without noise", scene.sharp),
    ]
    low, high = scene.counts.min(), np.percentile(scene.sharp, 99.9)
    shown = [replace(column, picture=gray(column.picture, low, high)) for column in columns]
    limit = 8.0
    median = f"map, median {np.median(defocus.radius):.1f} px"
    shown.insert(1, Column(median, paint_map(defocus.radius, limit=limit), limit))
    panel = compose(shown, detail=busiest_square(shown[0].picture, shown[-1].picture, 80))
    Image.fromarray(panel).save(path, quality=88)
    errors = [np.abs(image - scene.sharp).mean() for image in (scene.counts, restored)]
    print(f"{path}   (mean error {errors[0]:.1f} photons before, {errors[1]:.1f} after)")


def write_fraud(path: Path) -> None:
    """Write a generated scene whose sharp picture shows three letters that were never there."""
    sharp, true, photo = (layer[0] for layer in known_radii())
    fraud, (top, left) = sharp.copy(), _FRAUD
    image = Image.fromarray(fraud)
    ImageDraw.Draw(image).text(
        (left, top), "ABC", fill=(235, 235, 225), font=ImageFont.load_default(size=22)
    )
    fraud = np.asarray(image)
    result = check(photo, fraud, true, channel_axis=-1)
    shown = np.moveaxis(fraud, -1, 0) / 255
    columns = [
        Column("as the camera sees it", photo),
        Column("true map", paint_map(true, limit=float(true.max())), float(true.max())),
        Column("a sharp picture, with a fraud", fraud),
        Column("not supported by the image", paint_unsupported(shown, result.invented)),
    ]
    Image.fromarray(compose(columns)).save(path, quality=88)
    print(f"{path}   ({result.verdict})")


def gray(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """Return measured values as a picture, with dark ones lifted."""
    light = np.clip((values.astype(float) - low) / (high - low), 0, 1)
    return np.repeat(np.uint8(255 * np.sqrt(light))[..., None], 3, -1)


if __name__ == "__main__":
    main()
