"""What trainings look at: photographs drawn at random, or always the same."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch

from training.data.pair_scenes import PairScenes
from training.data.pool import Pool
from training.data.rng import SampleRNG
from training.data.scene import Scenes
from training.data.sensor import Photographs
from training.data.source import Source

_FIXED_SEED = 20_230

#: Takes pictures of scenes.
Expose = Callable[[Scenes, SampleRNG], Photographs]
#: Photographs of a rng, one for each of its streams; radii that are NaN are unknown.
Sampler = Callable[[SampleRNG], Photographs]
#: Batches of photographs that are always the same.
FixedBatches = Callable[[], Sequence[Photographs]]


@dataclass(frozen=True)
class SceneSampler:
    """Photographs crops of scenes from a source.

    Attributes
    ----------
    source : Source
        Where scenes come from.
    crop : int
        Side of the pictures in pixels.
    expose : callable
        Takes the pictures.
    """

    source: Source
    crop: int
    expose: Expose

    def __call__(self, rng: SampleRNG) -> Photographs:
        """A photograph for each stream of rng."""
        return self.expose(self.source.draw(rng, self.crop), rng)


@dataclass(frozen=True)
class FixedSceneBatches:
    """Photographs the whole scenes of a pool, the same way every time.

    Attributes
    ----------
    pool : Pool
        The scenes.
    expose : callable
        Takes the pictures.
    device : torch.device
        Where.
    count : int
        How many scenes of the pool, from the first on.
    batch : int
        How many at once.
    """

    pool: Pool
    expose: Expose
    device: torch.device | str = "cpu"
    count: int = 128
    batch: int = 16

    def __call__(self) -> list[Photographs]:
        """All photographs, in batches."""
        return self._photographs

    @cached_property
    def _photographs(self) -> list[Photographs]:
        count = min(self.count, len(self.pool))
        return [
            self._batch(first, min(self.batch, count - first))
            for first in range(0, count, self.batch)
        ]

    def _batch(self, first: int, count: int) -> Photographs:
        rng = SampleRNG.from_key(
            _FIXED_SEED, samples=range(first, first + count), device=self.device
        )
        return self.expose(self.pool.scenes(first, count, self.device), rng)


@dataclass(frozen=True)
class PairSampler:
    """Crops of real pairs.

    Attributes
    ----------
    pairs : PairScenes
        Where they are cut from.
    crop : int
        Side of the pictures in pixels.
    """

    pairs: PairScenes
    crop: int

    def __call__(self, rng: SampleRNG) -> Photographs:
        """A crop for each stream of rng."""
        return self.pairs.draw(rng, self.crop)


@dataclass(frozen=True)
class FixedPairBatches:
    """The same crops of real pairs every time.

    Attributes
    ----------
    camera : PairSampler
        Cuts them.
    device : torch.device
        Where.
    count : int
        How many crops.
    batch : int
        How many at once.
    """

    camera: PairSampler
    device: torch.device
    count: int = 128
    batch: int = 16

    def __call__(self) -> list[Photographs]:
        """All crops, in batches."""
        return self._crops

    @cached_property
    def _crops(self) -> list[Photographs]:
        firsts = range(0, self.count, self.batch)
        spans = [range(first, min(first + self.batch, self.count)) for first in firsts]
        return [
            self.camera(SampleRNG.from_key(_FIXED_SEED, samples=span, device=self.device))
            for span in spans
        ]
