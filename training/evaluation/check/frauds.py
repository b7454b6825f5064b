"""Frauds that are planted in sharp pictures: small patches of foreign detail without a seam."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from scipy.ndimage import gaussian_filter

Picture = NDArray[np.float32]

_SIDES = (12, 33)
#: Distance in px from the edges of a picture, and the width over which a patch fades in.
_MARGIN, _FADE = 16, 1.2
_LETTERS = "ABEHKMNRSXZ348"


@dataclass(frozen=True)
class Fraud:
    """A picture with a planted patch.

    Attributes
    ----------
    picture : array
        (Y, X, C) as the original.
    area : array
        (Y, X) bool: the patch.
    kind : str
        Name of the kind of fraud.
    """

    picture: Picture
    area: NDArray[np.bool_]
    kind: str


def plant(
    picture: Picture, radius: Picture, other: Picture, rng: np.random.Generator
) -> Fraud | None:
    """Plant a patch of 12 x 12 to 32 x 32 px where the blur is 2 to 8 px.

    Parameters
    ----------
    picture : array
        (Y, X, C) in [0, 1].
    radius : array
        (Y, X) radius of blur in px.
    other : array
        (Y, X, C) another picture, from which detail is pasted.
    rng : Generator
        Decides everything.

    Returns
    -------
    Fraud, optional
        None if no place has such blur. In half of the cases its contrast is lowered.
    """
    place = _find_place(radius, rng)
    if place is None:
        return None
    kind = str(rng.choice(sorted(_KINDS)))
    mask = np.zeros(radius.shape, np.float32)
    rows, columns = place
    mask[rows.start + 2 : rows.stop - 2, columns.start + 2 : columns.stop - 2] = 1
    mask = gaussian_filter(mask, _FADE)[..., None]
    new = _KINDS[kind](picture, place, other, rng)
    contrast = float(np.exp(rng.uniform(np.log(0.03), 0))) if rng.random() < 0.5 else 1.0
    planted = (picture + contrast * mask * (new - picture)).clip(0, 1).astype(np.float32)
    area = np.zeros(radius.shape, bool)
    area[place] = True
    return Fraud(planted, area, kind)


def _find_place(radius: Picture, rng: np.random.Generator) -> tuple[slice, slice] | None:
    for _ in range(200):
        height, width = rng.integers(*_SIDES, 2)
        top, left = (
            int(rng.integers(_MARGIN, length - _MARGIN - side))
            for length, side in zip(radius.shape, (height, width), strict=True)
        )
        place = slice(top, top + int(height)), slice(left, left + int(width))
        if 2 <= np.median(np.abs(radius[place])) <= 8:
            return place
    return None


def _paste(
    picture: Picture, place: tuple[slice, slice], other: Picture, rng: np.random.Generator
) -> Picture:
    """Paste a part of another picture, of the same mean."""
    own = picture[place]
    top, left = (
        int(rng.integers(0, total - side))
        for total, side in zip(other.shape, own.shape[:2], strict=False)
    )
    part = other[top : top + own.shape[0], left : left + own.shape[1]]
    new = picture.copy()
    new[place] = part - part.mean((0, 1)) + own.mean((0, 1))
    return new


def _letters(
    picture: Picture, place: tuple[slice, slice], other: Picture, rng: np.random.Generator
) -> Picture:
    """Write letters that stand out."""
    own = picture[place]
    height, width = own.shape[:2]
    image = Image.new("L", (width, height), 0)
    font = ImageFont.load_default(size=int(height * 0.8))
    text = "".join(rng.choice(list(_LETTERS), 3))
    ImageDraw.Draw(image).text((1, -height // 10), text, fill=255, font=font)
    ink = np.asarray(image, np.float32)[..., None] / 255
    new = picture.copy()
    new[place] += _sign(own) * rng.uniform(0.25, 0.8) * ink
    return new


def _remove(
    picture: Picture, place: tuple[slice, slice], other: Picture, rng: np.random.Generator
) -> Picture:
    """Fill the place smoothly from its surroundings."""
    outside = np.ones((*picture.shape[:2], 1), np.float32)
    outside[place] = 0
    weight = np.maximum(gaussian_filter(outside, (8, 8, 0)), 1e-3)
    return np.asarray(gaussian_filter(picture * outside, (8, 8, 0)) / weight, np.float32)


def _nucleus(
    picture: Picture, place: tuple[slice, slice], other: Picture, rng: np.random.Generator
) -> Picture:
    """Add a mottled ellipse with soft edges."""
    own = picture[place]
    height, width = own.shape[:2]
    rows, columns = np.mgrid[:height, :width]
    size = ((rows - (height - 1) / 2) / (0.38 * height)) ** 2
    size = size + ((columns - (width - 1) / 2) / (0.38 * width)) ** 2
    mottled = 1 + 0.75 * gaussian_filter(rng.standard_normal((height, width)), 1.5)
    blob = mottled / (1 + np.exp(8 * (size - 1)))
    new = picture.copy()
    new[place] += (_sign(own) * rng.uniform(0.1, 0.5) * blob[..., None]).astype(np.float32)
    return new


def _sign(own: Picture) -> int:
    return 1 if own.mean() < 0.5 else -1


_KINDS: dict[
    str, Callable[[Picture, tuple[slice, slice], Picture, np.random.Generator], Picture]
] = {"letters": _letters, "nucleus": _nucleus, "paste": _paste, "removed": _remove}
