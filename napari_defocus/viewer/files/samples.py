"""Sample data: three photographs, one of them blurred afterwards, and two generated scenes."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ...image.encoding import encode
from ..maps.map_layers import map_appearance

FOLDER = Path(__file__).parents[2] / "samples"
LayerData = tuple[Any, dict[str, Any], str]
FloatArray = npt.NDArray[np.float32]

#: Rows and columns of the osprey's head, of which there is a sharp picture.
OSPREY_HEAD = (slice(40, 200), slice(90, 290))
_LARGEST_RADIUS = 10.0


def dual_pixel_pair() -> list[LayerData]:
    """Return the two dual-pixel views of a stairwell (Canon, 514 x 840), and the sharp scene."""
    left, right = (_read(FOLDER / f"stairwell-{side}.png") for side in ("left", "right"))
    sharp = _read(FOLDER / "stairwell-sharp.png")
    return [
        (sharp, {"name": "stairwell, small aperture", "visible": False}, "image"),
        (right, {"name": "stairwell, right view", "visible": False}, "image"),
        (left, {"name": "stairwell, left view"}, "image"),
    ]


def photograph() -> list[LayerData]:
    """Return a photograph with shallow depth of field: a wren on a rock (945 x 1680)."""
    return [(_read(FOLDER / "canyon-wren.jpg"), {"name": "canyon wren"}, "image")]


def missed_focus() -> list[LayerData]:
    """Return a photograph of an osprey that is focused on a branch, and its head in focus.

    The photograph (640 x 960) was taken in focus, and blurred by `docs/missed_focus.py`.
    """
    head = _read(FOLDER / "osprey-head-sharp.jpg")
    corner = [each.start for each in OSPREY_HEAD]
    return [
        (head, {"name": "osprey, head in focus", "translate": corner, "visible": False}, "image"),
        (_read(FOLDER / "osprey-missed-focus.jpg"), {"name": "osprey, missed focus"}, "image"),
    ]


def known_radii() -> list[LayerData]:
    """Return a generated scene: blurred, sharp, and its true blur radii.

    The blur radius of the background grows from 0 at the left to 10 px at the right. In front of
    it are disks with blur radii of 0, 3, 6 and 9 px.
    """
    sharp, blurred, radius = _render_scene(np.random.default_rng(7), 448, 640)
    appearance = map_appearance(radius, signed=False)
    return [
        (sharp, {"name": "known radii, sharp", "visible": False}, "image"),
        (radius, {"name": "known radii, true map", "visible": False, **appearance}, "image"),
        (blurred, {"name": "known radii"}, "image"),
    ]


def fluorescence() -> list[LayerData]:
    """Return a generated stack like fluorescence microscopy: 2 channels of (7, 256, 256) uint16."""
    stack = _render_fluorescence(np.random.default_rng(11), planes=7, size=256)
    arguments = {
        "channel_axis": 0,
        "name": ["nuclei", "filaments"],
        "colormap": ["cyan", "magenta"],
        "contrast_limits": [(90, 2600), (90, 1500)],
        "scale": (0.5, 0.1, 0.1),
        "units": ("um", "um", "um"),
        "axis_labels": ("z", "y", "x"),
    }
    return [(stack, arguments, "image")]


def _read(path: Path) -> npt.NDArray[np.uint8]:
    from PIL import Image

    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"))


# Scene with known radii -------------------------------------------------------------------------


def _render_scene(
    rng: np.random.Generator, height: int, width: int
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8], FloatArray]:
    """Return the sharp and the blurred picture, both (Y, X, 3), and the (Y, X) radii."""
    radius = np.tile(np.linspace(0, _LARGEST_RADIUS, width, dtype=np.float32), (height, 1))
    sharp = texture(rng, height, width)
    blurred = blur_by_map(sharp, radius)
    surface = texture(rng, height, width)
    places = [(0.28, 0.80, 0.0), (0.70, 0.22, 3.0), (0.72, 0.60, 6.0), (0.25, 0.42, 9.0)]
    for y, x, disk_radius in places:
        inside = _round_mask(height, width, y, x, 0.16)
        cover = _blur(inside[None], disk_radius)
        front = _blur(surface * inside, disk_radius)
        sharp = sharp * (1 - inside) + surface * inside
        blurred = blurred * (1 - cover) + front
        radius = np.where(inside > 0.5, np.float32(disk_radius), radius)
    noisy = blurred + rng.normal(0, 0.002, blurred.shape).astype(np.float32)
    return to_picture(sharp), to_picture(noisy), radius


def texture(rng: np.random.Generator, height: int, width: int) -> FloatArray:
    """Return (3, Y, X) linear light: patches of color crossed by lines, with fine grain."""
    rows, columns = _coordinates(height, width)
    colors = rng.uniform(0.05, 0.7, (40, 3)).astype(np.float32)
    centers = rng.uniform((0, 0), (height, width), (40, 2)).astype(np.float32)
    distance = [(rows - y) ** 2 + (columns - x) ** 2 for y, x in centers]
    texture = np.moveaxis(colors[np.argmin(distance, axis=0)], -1, 0)
    for _ in range(24):
        angle, phase = rng.uniform(0, np.pi), rng.uniform(0, max(height, width))
        along = np.abs(np.cos(angle) * columns + np.sin(angle) * rows - phase)
        texture = texture * (1 - 0.7 * np.clip(2.5 - along, 0, 1))
    grain = rng.normal(1, 0.18, (height, width)).astype(np.float32)
    light: FloatArray = np.clip(texture * grain, 0, 1).astype(np.float32)
    return light


def _coordinates(height: int, width: int) -> tuple[FloatArray, FloatArray]:
    rows, columns = np.indices((height, width), dtype=np.float32)
    return rows, columns


def _round_mask(height: int, width: int, y: float, x: float, size: float) -> FloatArray:
    rows, columns = _coordinates(height, width)
    distance = np.hypot(rows - y * height, columns - x * width)
    mask: FloatArray = np.clip(size * height + 0.5 - distance, 0, 1).astype(np.float32)
    return mask


def blur_by_map(image: FloatArray, radius: FloatArray) -> FloatArray:
    """Blur each pixel of (C, Y, X) by its own radius, interpolated between whole pixels."""
    step = 1.0
    blurred = np.zeros_like(image)
    for index in range(int(np.ceil(radius.max() / step)) + 1):
        weight = np.clip(1 - np.abs(radius / step - index), 0, 1)
        blurred += weight * _blur(image, index * step)
    return blurred


def _blur(image: FloatArray, radius: float) -> FloatArray:
    """Blur (C, Y, X) by a disk with soft edge, mirrored at the borders."""
    if radius < 0.5:
        return image
    margin = int(np.ceil(radius)) + 1
    padded = np.pad(image, ((0, 0), (margin, margin), (margin, margin)), mode="symmetric")
    offset = np.arange(-margin, margin + 1, dtype=np.float32)
    disk = np.clip(radius + 0.5 - np.hypot(offset[:, None], offset), 0, 1)
    height, width = padded.shape[-2:]
    spectrum = np.fft.rfft2(disk / disk.sum(), (height, width))
    both = np.fft.irfft2(np.fft.rfft2(padded) * spectrum, (height, width))
    return both[:, 2 * margin :, 2 * margin :].astype(np.float32)


def to_picture(linear: FloatArray) -> npt.NDArray[np.uint8]:
    """Return linear light (3, Y, X) as a picture (Y, X, 3)."""
    display = np.clip(encode(linear.astype(np.float32)), 0, 1)
    return np.rint(np.moveaxis(display, 0, -1) * 255).astype(np.uint8)


# Stack like fluorescence microscopy --------------------------------------------------------------


def _render_fluorescence(
    rng: np.random.Generator, planes: int, size: int
) -> npt.NDArray[np.uint16]:
    """Return (2, Z, Y, X) photon counts; planes hold all depths, blurred by distance."""
    nuclei = np.stack([_nuclei(rng, size) for _ in range(planes)])
    filaments = np.stack([_filaments(rng, size) for _ in range(planes)])
    return np.stack([_focus_through(rng, depths, planes) for depths in (nuclei, filaments)])


def _focus_through(
    rng: np.random.Generator, depths: FloatArray, planes: int
) -> npt.NDArray[np.uint16]:
    stack = np.full(depths.shape, 100.0)
    for plane in range(planes):
        for depth, content in enumerate(depths):
            stack[plane] += _blur(content[None], 2.0 * abs(plane - depth))[0]
    counts: npt.NDArray[np.uint16] = rng.poisson(np.maximum(stack, 0)).astype(np.uint16)
    return counts


def _nuclei(rng: np.random.Generator, size: int) -> FloatArray:
    """Return (Y, X) light of a few textured ellipses."""
    rows, columns = _coordinates(size, size)
    light = np.zeros((size, size), np.float32)
    for _ in range(4):
        y, x = rng.uniform(0, size, 2)
        long, short = rng.uniform(12, 18), rng.uniform(8, 12)
        angle = rng.uniform(0, np.pi)
        u = np.cos(angle) * (columns - x) + np.sin(angle) * (rows - y)
        v = np.cos(angle) * (rows - y) - np.sin(angle) * (columns - x)
        light += 1200 * np.clip(6 * (1 - np.hypot(u / long, v / short)), 0, 1)
    spots = _blur(rng.uniform(0, 1, (1, size, size)).astype(np.float32), 1.5)[0]
    textured: FloatArray = light * np.clip(4 * (spots - 0.35), 0.1, 2)
    return textured


def _filaments(rng: np.random.Generator, size: int) -> FloatArray:
    """Return (Y, X) light of a few thin winding lines."""
    light = np.zeros((size, size), np.float32)
    for _ in range(5):
        steps = 6 * size
        turns = rng.uniform(0, 2 * np.pi) + np.cumsum(rng.normal(0, 0.05, steps))
        y = rng.uniform(0, size) + np.cumsum(0.5 * np.sin(turns))
        x = rng.uniform(0, size) + np.cumsum(0.5 * np.cos(turns))
        inside = (y >= 0) & (y < size - 1) & (x >= 0) & (x < size - 1)
        np.add.at(light, (y[inside].astype(int), x[inside].astype(int)), 250)
    lines: FloatArray = _blur(light[None], 0.8)[0]
    return lines
