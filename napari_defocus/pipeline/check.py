"""Check of one plane of a sharp picture against its image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np

from ..array_types import Array, FloatArray, Mask
from ..defocus_map import check_values
from ..evidence.significance import scores
from ..image.encoding import decode, encode
from ..image.layout import Layout
from ..image.range_rules import Range
from ..inference.engine import infer
from ..inference.storage import Planes, WritablePlanes
from ..optics.pupil import DISK, Pupil
from .confidence import expected_error
from .estimate import PlaneEstimator
from .levels import ImageLevels
from .plane import PlaneCodec, PlaneRun, Steps
from .sample_blocks import sample_blocks

if TYPE_CHECKING:
    from ..evidence.noise import NoiseModel

#: Side in pixels of the blocks that noise is measured in, and how many along a side at most.
_NOISE_BLOCK, _NOISE_BLOCKS = 256, 4
#: Likewise of the blocks that the pupil is fit to.
_PUPIL_BLOCK, _PUPIL_BLOCKS = 128, 2
#: Least side in pixels of a picture that tells a pupil.
_LEAST_SIDE = 64
#: Display value from which on a sharp picture may be clipped.
_CLIPPED = 0.99
#: Side in pixels of the surroundings that are alike where nothing was changed.
_ALIKE = 9
#: Largest expected error of a radius that counts, in px: little is known where it is larger.
_LARGEST_ERROR = 4.0


@dataclass(frozen=True)
class PlaneChecker:
    """Check of one plane.

    Parameters
    ----------
    layout, sharp_layout : Layout
        Layouts of the image and of the sharp picture, which may differ in data type alone.
    sharp_range : (float, float), optional
        Black and white of the sharp picture, if they are not the image's.
    map_source : PlaneEstimator or bool
        The estimator of the map; or, if the map exists, whether its radii are signed.
    pupil : Pupil, optional
        Shape of the kernels; None: the one that explains the image best.
    """

    layout: Layout
    sharp_layout: Layout
    sharp_range: Range | None
    map_source: PlaneEstimator | bool
    pupil: Pupil | None = None

    @property
    def stages(self) -> int:
        """Number of passes over the plane."""
        return 2 if isinstance(self.map_source, PlaneEstimator) else 1

    @property
    def extra_pixels(self) -> int:
        """Pixels that are processed in addition to the passes over the plane."""
        source = self.map_source
        return source.extra_pixels if isinstance(source, PlaneEstimator) else 0

    def steps(self, *planes: Planes, value_range: Range, run: PlaneRun) -> Steps[WritablePlanes]:
        """Return scores, inferred share and energy of the residual (3, Y, X).

        The planes are the image, the sharp picture, and the map's radius and confidence, if any.
        """
        from ..evidence.network import EvidenceNetwork

        plane, sharp, *maps = planes
        codec = PlaneCodec(self.layout, value_range)
        sharp_codec = PlaneCodec(self.sharp_layout, self.sharp_range or value_range)
        display = codec.to_display(plane, run.storage)
        levels = ImageLevels(display, run.storage, run.resolved_level(self.layout))
        estimate = yield from self._map(plane, maps, levels, codec, run)
        radius, error = self._radius_and_error(estimate)
        claim = sharp_codec.to_display(sharp, run.storage)[:, :, :]
        image, gray = _as_gray(levels.image[:, :, :]), _as_gray(claim)
        linear = self.layout.encoding == "linear"
        noise = _measure_noise(image, codec.quantum, linear=linear)
        extremes = float(radius.min()), float(radius.max())
        valid = _has_data(codec, plane) & _has_data(sharp_codec, sharp)
        unknown = ~valid
        if self.layout.display_bounded:
            unknown = unknown | (claim.max(axis=0) >= _CLIPPED)
        shares = (unknown, _share_from_outside(radius[0])[None], valid)
        parts = [gray, image, radius, error, *shares]
        inputs = np.concatenate([part.astype(np.float32, copy=False) for part in parts])
        pupil = self.pupil if self.pupil is not None else _fit_pupil(inputs, noise, linear=linear)
        network = EvidenceNetwork(noise, *extremes, pupil, linear=linear)
        steps = infer(network, inputs, run.options)
        result = yield from run.meter.measure(steps, image[0].size, planned=True)
        unchanged = _unchanged(display[:, :, :], claim) & np.isfinite(result[0])
        result[0][unchanged] = np.nan  # tells nothing of honest scores
        result[0] = scores(result[0])
        result[0][unchanged] = 0
        return result

    def _map(
        self,
        plane: Planes,
        maps: Sequence[Planes],
        levels: ImageLevels,
        codec: PlaneCodec,
        run: PlaneRun,
    ) -> Steps[FloatArray]:
        """Return radius and confidence (2, Y, X)."""
        if isinstance(self.map_source, PlaneEstimator):
            estimate = yield from self.map_source.steps_at_levels(levels, [plane], codec, run)
            return estimate[:, :, :]
        radius, confidence = (part[:, :, :] for part in maps)
        check_values(radius, confidence, signed=self.map_source)
        return np.concatenate([radius, confidence]).astype(np.float32, copy=False)

    def _radius_and_error(self, estimate: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return signed radius and expected error (1, Y, X); unsigned radii lie behind."""
        radius, confidence = estimate[:1], estimate[1:]
        signed = self.map_source is True
        error = np.minimum(expected_error(confidence), np.float32(_LARGEST_ERROR))
        return radius if signed else -np.abs(radius), error


def _unchanged(image: FloatArray, claim: FloatArray) -> Mask:
    """Return where a picture (C, Y, X) took its surroundings from the image as they are (Y, X).

    Nothing can be invented there, though blurring again what was left blurred does not explain it.
    """
    from scipy.ndimage import minimum_filter

    if image.shape != claim.shape:
        return np.zeros(claim.shape[1:], bool)
    return np.asarray(minimum_filter((image == claim).all(axis=0), _ALIKE, mode="nearest"), bool)


def _has_data(codec: PlaneCodec, plane: Planes) -> Mask:
    """Return where all channels of a plane hold data (1, Y, X)."""
    mask = codec.valid_mask(plane[:3, :, :])
    shape = (1, *plane.shape[1:])
    return np.ones(shape, bool) if mask is None else mask.all(axis=0).reshape(shape)


def _as_gray(picture: FloatArray) -> FloatArray:
    """Return the display-encoded mean light (1, Y, X) of a picture (C, Y, X)."""
    if len(picture) == 1:
        return picture
    return encode(decode(picture).mean(axis=0, keepdims=True))


def _measure_noise(image: FloatArray, quantum: float, *, linear: bool) -> NoiseModel:
    """Estimate the noise of a gray, display-encoded plane (1, Y, X) from blocks of it."""
    import torch

    from ..evidence.noise import estimate_noise

    places = sample_blocks(image.shape, _NOISE_BLOCK, _NOISE_BLOCKS)
    blocks = [image[0, *place.slices] for place in places]
    values = [torch.from_numpy(decode(block) if linear else block.copy()) for block in blocks]
    return estimate_noise(values, quantum, even=not linear)


def _fit_pupil(inputs: FloatArray, noise: NoiseModel, *, linear: bool) -> Pupil:
    """Return the pupil that explains some blocks of what `EvidenceNetwork` takes."""
    import torch

    from ..evidence.bands import GRID
    from ..evidence.pupil_fit import Pair, fit_pupil

    if min(inputs.shape[-2:]) < _LEAST_SIDE:
        return DISK
    pairs = []
    for place in sample_blocks(inputs.shape, _PUPIL_BLOCK, _PUPIL_BLOCKS):
        block = inputs[:, *place.slices]
        rows, columns = (length // GRID * GRID for length in block.shape[-2:])
        pairs.append(Pair.of(torch.from_numpy(block[:, :rows, :columns].copy())))
    return fit_pupil(pairs, noise, linear=linear)


def _share_from_outside(radius: FloatArray) -> FloatArray:
    """Return the share (Y, X) of each pixel's disk that lies outside the image."""
    size = np.maximum(np.abs(radius), np.float32(1e-3))
    share = np.zeros_like(size)
    for axis, length in enumerate(radius.shape):
        place = np.arange(length, dtype=np.float32)
        for distance in (place + 0.5, length - 0.5 - place):
            wide = np.expand_dims(distance, 1 - axis)
            share += _segment(np.minimum(wide / size, np.float32(1)))
    return np.minimum(share, 1)


def _segment(distance: Array) -> FloatArray:
    """Return the share of a disk beyond a line at a distance from its center, in radii."""
    share = (np.arccos(distance) - distance * np.sqrt(1 - distance**2)) / np.pi
    return cast(FloatArray, share.astype(np.float32, copy=False))
