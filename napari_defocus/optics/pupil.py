"""Shape of a lens's pupil, of which blur kernels of any radius are images."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..array_types import FloatArray
from ..errors import OptionError, quote

if TYPE_CHECKING:
    from torch import Tensor

Floats = npt.NDArray[np.float64]

#: Pupils with a name, as in drop-down lists.
NAMED_PUPILS = ("disk", "polygon:6", "polygon:8", "ring:0.5", "cats-eye:0.6")
#: What `pupil` accepts, in words.
ACCEPTED = (
    "'disk', 'polygon:N' of 3 to 16 blades, 'ring:F' with a dark middle of 0.05 to 0.95 radii, "
    "'cats-eye:S' of two disks 0.05 to 1.5 radii apart, an array of kernels, or a "
    ".safetensors file of kernels"
)
#: Samples along a radius of a pupil that is drawn, and parts of a sample along a side.
_SAMPLES, _PARTS = 32, 4
#: Radii in pixels below which a kernel is a single pixel.
_SINGLE = 0.5
#: Share of a kernel's light that may be left out at its rim.
_NEGLIGIBLE = 1e-4
#: Largest side of an array of kernels, in pixels.
_LARGEST = 2048
#: Times that the center of mass is brought back to the middle of a kernel.
_CENTERINGS = 2


class Pupil(ABC):
    """Shape of a pupil.

    Parameters of `kernel` are signed radii: blur behind the plane of focus (negative) shows the
    pupil upright, blur in front of it turned by half a turn.
    """

    @property
    @abstractmethod
    def record(self) -> Any:
        """What provenance says of it."""

    @abstractmethod
    def kernel(self, radius: float) -> Tensor:
        """Return the kernel (S, S), S odd, of a signed radius in px: non-negative, of unit sum."""

    @abstractmethod
    def reach(self, radius: float) -> int:
        """Return how far from its middle pixel the kernel of a radius reaches, in pixels."""


@dataclass(frozen=True)
class Disk(Pupil):
    """The uniform disk of an ideal thin lens."""

    @property
    def record(self) -> str:
        """Its name."""
        return "disk"

    def kernel(self, radius: float) -> Tensor:
        """Return the uniform disk of a radius in px."""
        from .kernels import disk

        return disk(abs(radius))

    def reach(self, radius: float) -> int:
        """Return the radius, rounded up, and a pixel."""
        return math.ceil(abs(radius)) + 1


DISK = Disk()


@dataclass(frozen=True, eq=False)
class PupilImage(Pupil):
    """A pupil that an image shows, evenly for all radii.

    Parameters
    ----------
    image : (H, W) array
        Light through points of the pupil, non-negative.
    radius : float
        Radius of the pupil, in samples of the image.
    record : object
        What provenance says of it.
    center : (float, float), optional
        Row and column of the image that a kernel's middle shows; by default the center of mass.

    Examples
    --------
    >>> hexagon = draw_pupil("polygon:6")
    >>> kernel = hexagon.kernel(-5.0)
    >>> round(float(kernel.sum()), 5)
    1.0
    """

    image: Floats
    radius: float
    record: Any = None
    center: tuple[float, float] | None = None

    def kernel(self, radius: float) -> Tensor:
        """Return the image of the pupil with a radius in px, averaged over pixels.

        Samples are interpolated linearly.
        """
        import torch

        size = abs(radius)
        if size < _SINGLE:
            return DISK.kernel(0.0)
        half, scale = self.reach(radius), size / self.radius
        rows, columns = (
            self._weights(self.image.sum(1 - axis), self._center[axis], scale, half)
            for axis in (0, 1)
        )
        kernel = rows @ self.image @ columns.T
        kernel = kernel[::-1, ::-1] if radius > 0 else kernel
        return torch.from_numpy((kernel / kernel.sum()).astype(np.float32))

    def reach(self, radius: float) -> int:
        """Return how far the kernel reaches, in pixels."""
        return math.ceil(self._extent * abs(radius) + 0.5) if abs(radius) >= _SINGLE else 1

    def _weights(self, profile: Floats, center: float, scale: float, half: int) -> Floats:
        """Return the share of each sample in each pixel along an axis, whose light is a profile.

        Pixels move the center of mass of small shapes: it is brought back to the middle.
        """
        places: Floats = scale * (np.arange(len(profile), dtype=float) - center)
        weights = _weights(places, scale, half)
        if self.center is not None:
            return weights
        for _ in range(_CENTERINGS):
            light = weights @ profile
            places -= float(light @ np.arange(-half, half + 1)) / float(light.sum())
            weights = _weights(places, scale, half)
        return weights

    @cached_property
    def _center(self) -> tuple[float, float]:
        """Row and column of the middle."""
        if self.center is not None:
            return self.center
        total = self.image.sum()
        rows, columns = (np.arange(length) for length in self.image.shape)
        return (
            float(self.image.sum(1) @ rows / total),
            float(self.image.sum(0) @ columns / total),
        )

    @cached_property
    def _extent(self) -> float:
        """Distance of the light's rim from the center of mass along an axis, in radii."""
        lit = self.image > _NEGLIGIBLE * self.image.max()
        ends = [np.flatnonzero(lit.any(axis)) for axis in (1, 0)]
        far = [
            max(center - end[0], end[-1] - center) + 1
            for end, center in zip(ends, self._center, strict=True)
        ]
        return float(max(far)) / self.radius


@dataclass(frozen=True, eq=False)
class MeasuredPupil(Pupil):
    """Kernels of the whole radii 0, 1, 2, ... px, interpolated between.

    Parameters
    ----------
    kernels : (R, S, S) array
        Kernels behind the plane of focus; S is odd.
    record : object
        What provenance says of it.
    """

    kernels: FloatArray
    record: Any = None

    def kernel(self, radius: float) -> Tensor:
        """Return the kernel of a radius in px; beyond the last one, that one enlarged."""
        import torch

        size, last = abs(radius), len(self.kernels) - 1
        if size > last:
            return self._largest.kernel(radius)
        low = min(int(size), last - 1)
        kernel = self.kernels[low] + (size - low) * (self.kernels[low + 1] - self.kernels[low])
        kernel = kernel[::-1, ::-1] if radius > 0 else kernel
        return torch.from_numpy((kernel / kernel.sum()).astype(np.float32))

    def reach(self, radius: float) -> int:
        """Return how far the kernel reaches, in pixels."""
        is_enlarged = abs(radius) > len(self.kernels) - 1
        return self._largest.reach(radius) if is_enlarged else self.kernels.shape[-1] // 2

    @cached_property
    def _largest(self) -> PupilImage:
        return PupilImage(self.kernels[-1].astype(float), float(len(self.kernels) - 1))


def make_pupil(value: Any, *, record: Any = None, further: str = "") -> Pupil:
    """Return the pupil that a name or an array describes.

    Parameters
    ----------
    value : str, array or Pupil
        "disk"; "polygon:N", a regular polygon of N corners and the area of the disk; "ring:F",
        whose dark middle has F radii; "cats-eye:S", the part of a disk that another one S radii
        beside it covers. Or an array of non-negative numbers: (H, W), a kernel whose radius is that
        of the disk as wide in mean square; or (R, S, S), the kernels of radius 0, 1, ... px. They
        are seen behind the plane of focus, and turned by half a turn in front of it.
    record : object
        What provenance says of an array; by default the array.
    further : str
        What is accepted besides, for the message.

    Raises
    ------
    OptionError
        If it is something else.

    Examples
    --------
    >>> make_pupil("ring:0.5").kernel(4.0)[5, 5] < make_pupil("disk").kernel(4.0)[5, 5]
    tensor(True)
    >>> make_pupil("triangle")
    Traceback (most recent call last):
    ...
    napari_defocus.errors.OptionError: pupil is 'triangle'; 'disk', 'polygon:N' of 3 to 16 ...
    """
    if isinstance(value, Pupil):
        return value
    if isinstance(value, str):
        return DISK if value == "disk" else draw_pupil(value, further)
    try:
        kernels = np.asarray(value, float)
    except (TypeError, ValueError):
        raise _refusal(value, further) from None
    if kernels.ndim == 0:
        raise _refusal(value, further)
    record = value if record is None else record
    shape = kernels.shape
    is_bank = kernels.ndim == 3 and len(kernels) > 1 and shape[1] == shape[2] and shape[1] % 2 == 1
    if not (is_bank or kernels.ndim == 2) or not 0 < min(shape) <= max(shape) <= _LARGEST:
        raise OptionError(
            f"pupil is an array of shape {shape}; a kernel (H, W), or kernels (R, S, S) of radius "
            f"0, 1, ... px with an odd S, are expected, of at most {_LARGEST} px"
        )
    sums = kernels.sum((-2, -1))
    if not (np.isfinite(kernels).all() and (kernels >= 0).all() and (sums > 0).all()):
        raise OptionError(
            "pupil is an array with negative numbers, with some that are not finite, or with "
            "nothing but zeros; light that is 0 or more is expected"
        )
    kernels = kernels / sums[..., None, None]
    if is_bank:
        return MeasuredPupil(kernels.astype(np.float32), record)
    return PupilImage(kernels, equivalent_radius(kernels), record)


@lru_cache(maxsize=16)
def draw_pupil(name: str, further: str = "") -> PupilImage:
    """Return a pupil by its name; an OptionError if there is none."""
    kind, _, text = name.partition(":")
    if kind not in _SHAPES:
        raise _refusal(name, further)
    least, most, is_whole, light = _SHAPES[kind]
    try:
        number = int(text) if is_whole else float(text)
    except ValueError:
        raise _refusal(name, further) from None
    if not least <= number <= most:
        raise _refusal(name, further)
    return sample_pupil(lambda y, x: light(y, x, number), name)


def sample_pupil(light: Callable[[Floats, Floats], Any], record: Any = None) -> PupilImage:
    """Return the pupil that passes so much light at points (y, x), in radii up to 1.6."""
    count = 2 * math.ceil(1.6 * _SAMPLES) + 1
    steps = (np.arange(count * _PARTS) + 0.5) / _PARTS - count / 2
    y, x = np.meshgrid(steps / _SAMPLES, steps / _SAMPLES, indexing="ij")
    fine = np.asarray(light(y, x), float)
    image = fine.reshape(count, _PARTS, count, _PARTS).mean((1, 3))
    return PupilImage(image, float(_SAMPLES), record)


def _polygon(y: Floats, x: Floats, corners: float) -> npt.NDArray[np.bool_]:
    """Return where a regular polygon of the unit disk's area is, one side of it at the bottom."""
    sector = 2 * math.pi / corners
    apothem = math.sqrt(math.pi / (corners * math.tan(sector / 2)))
    within = np.remainder(np.arctan2(x, y) + sector / 2, sector) - sector / 2
    return np.asarray(np.hypot(y, x) * np.cos(within) <= apothem)


def _ring(y: Floats, x: Floats, inner: float) -> npt.NDArray[np.bool_]:
    distance = np.hypot(y, x)
    return np.asarray((distance <= 1) & (distance >= inner))


def _cats_eye(y: Floats, x: Floats, shift: float) -> npt.NDArray[np.bool_]:
    return np.asarray(np.maximum(np.hypot(y, x), np.hypot(y, x - shift)) <= 1)


#: Shapes by their names: limits of their number, whether it is a whole one, and where light passes.
_SHAPES: dict[
    str, tuple[float, float, bool, Callable[[Floats, Floats, float], npt.NDArray[np.bool_]]]
] = {
    "polygon": (3, 16, True, _polygon),
    "ring": (0.05, 0.95, False, _ring),
    "cats-eye": (0.05, 1.5, False, _cats_eye),
}


def _refusal(value: Any, further: str) -> OptionError:
    return OptionError(f"pupil is {quote(value)}; {further}{ACCEPTED} is expected")


def equivalent_radius(kernel: Floats) -> float:
    """Return the radius, in samples, of the disk whose mean square width is a kernel's."""
    kernel = kernel / kernel.sum()
    variance = 2 / 6  # of the linear interpolation between samples
    for axis in (0, 1):
        light, place = kernel.sum(1 - axis), np.arange(kernel.shape[axis])
        mean = float(light @ place)
        variance += float(light @ (place - mean) ** 2)
    return math.sqrt(2 * variance)


def _weights(places: Floats, scale: float, half: int) -> Floats:
    """Return the share (2 half + 1, N) of the light of each sample in each pixel.

    A sample's light is spread as linear interpolation spreads it: over `scale` px to each side.
    """
    edges = np.arange(-half, half + 2) - 0.5
    position = ((edges[:, None] - places) / scale).clip(-1, 1)
    below = np.where(position < 0, (1 + position) ** 2 / 2, 1 - (1 - position) ** 2 / 2)
    return np.asarray(np.diff(below, axis=0))
