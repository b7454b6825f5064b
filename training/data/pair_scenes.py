"""Random crops of real photographs in pairs, blurred and sharp."""

from collections.abc import Iterable

import numpy as np
import torch
from torch import Tensor

from training.data.held_out import split
from training.data.images import Colors, read_colors, readable, to_unit
from training.data.pairs import PairFiles
from training.data.rng import SampleRNG
from training.data.sensor import Photographs
from training.errors import TrainingError


class PairScenes:
    """Pairs in memory, from which random crops are drawn.

    Parameters
    ----------
    pairs : iterable of PairFiles
        Files of the pairs. A pair with a file that cannot be read, or with files of different
        sizes, is named in the log, skipped and listed in `broken`.
    views : bool
        Whether their dual-pixel views are read, too.
    evaluation : bool
        Take pairs that are kept for evaluation, which are refused otherwise.
    """

    def __init__(
        self, pairs: Iterable[PairFiles], *, views: bool, evaluation: bool = False
    ) -> None:
        pairs = list(pairs)
        kept = [path for pair in pairs for path in split(pair.paths(), held_out=True)]
        if kept and not evaluation:
            raise TrainingError(f"{kept[0]} is kept for evaluation and may not be trained on")
        self.broken: list[PairFiles] = []
        self._scenes = list(readable(pairs, _read_views if views else _without_views, self.broken))
        if not self._scenes:
            raise TrainingError("there is no pair of images that can be read")

    def __len__(self) -> int:
        return len(self._scenes)

    def draw(self, rng: SampleRNG, crop: int) -> Photographs:
        """Draw one crop for each stream of rng.

        Parameters
        ----------
        rng : SampleRNG
            Decides everything; a crop depends on its own stream alone.
        crop : int
            Side of the crops in pixels, at most that of the smallest pair.

        Returns
        -------
        Photographs
            On the device of `rng`, mirrored at random; radii are NaN, and without `views` both
            views are the center picture.
        """
        drawn = torch.stack([self._crop(crop, stream) for stream in rng.streams])
        sharp, center, left, right = drawn.to(rng.device).unbind(1)
        return Photographs(sharp, center, left, right, torch.full_like(sharp[:, :1], torch.nan))

    def _crop(self, size: int, stream: np.random.Generator) -> Tensor:
        """Crop (4, 3, size, size): sharp, center, left, right."""
        scene = self._scenes[stream.integers(len(self))]
        height, width = scene[0].shape[:2]
        if min(height, width) < size:
            raise TrainingError(f"a pair has {height} x {width} px; crops of {size} px do not fit")
        top, left = stream.integers(height - size + 1), stream.integers(width - size + 1)
        crop = torch.stack([to_unit(part[top : top + size, left : left + size]) for part in scene])
        upside, sideways = stream.random(2) < 0.5
        return crop.flip([-2] * bool(upside) + [-1] * bool(sideways))


def _without_views(pair: PairFiles) -> list[Colors]:
    blurred = read_colors(pair.blurred)
    return _crop_to_one_size(pair, [read_colors(pair.sharp), blurred, blurred, blurred])


def _read_views(pair: PairFiles) -> list[Colors]:
    if pair.left is None or pair.right is None:
        raise ValueError(f"{pair.blurred} has no dual-pixel views")
    parts = (pair.sharp, pair.blurred, pair.left, pair.right)
    return _crop_to_one_size(pair, [read_colors(path) for path in parts])


def _crop_to_one_size(pair: PairFiles, parts: list[Colors]) -> list[Colors]:
    sizes = {part.shape for part in parts}
    if len(sizes) != 1:
        raise ValueError(f"the files of {pair.blurred} differ in size: {sorted(sizes)}")
    return parts
