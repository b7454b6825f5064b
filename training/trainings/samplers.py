"""Samplers of photographs: at random for training, or the same ones for validation."""

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

#: Function that photographs scenes.
Expose = Callable[[Scenes, SampleRNG], Photographs]
#: Function that draws one photograph for each stream of a rng. Radii that are NaN are unknown.
Sampler = Callable[[SampleRNG], Photographs]
#: Function that returns batches of photographs, the same ones every time.
FixedBatches = Callable[[], Sequence[Photographs]]


@dataclass(frozen=True)
class SceneSampler:
    """Sampler of photographs of random crops of scenes.

    Attributes
    ----------
    source : Source
        Source of the scenes.
    crop : int
        Side of the crops in pixels.
    expose : callable
        Photographs the crops.
    """

    source: Source
    crop: int
    expose: Expose

    def __call__(self, rng: SampleRNG) -> Photographs:
        """Draw one photograph for each stream of `rng`."""
        return self.expose(self.source.draw(rng, self.crop), rng)


@dataclass(frozen=True)
class FixedSceneBatches:
    """Batches of photographs of whole scenes, the same ones every time.

    Attributes
    ----------
    pool : Pool
        The scenes.
    expose : callable
        Photographs the scenes.
    device : torch.device
        Device of the photographs.
    count : int
        Number of scenes, from the first of the pool.
    batch : int
        Number of scenes in a batch.
    """

    pool: Pool
    expose: Expose
    device: torch.device | str = "cpu"
    count: int = 128
    batch: int = 16

    def __call__(self) -> list[Photographs]:
        """Return all photographs, in batches."""
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
    """Sampler of random crops of real pairs.

    Attributes
    ----------
    pairs : PairScenes
        The pairs.
    crop : int
        Side of the crops in pixels.
    """

    pairs: PairScenes
    crop: int

    def __call__(self, rng: SampleRNG) -> Photographs:
        """Draw one crop for each stream of `rng`."""
        return self.pairs.draw(rng, self.crop)


@dataclass(frozen=True)
class FixedPairBatches:
    """Batches of crops of real pairs, the same ones every time.

    Attributes
    ----------
    sampler : PairSampler
        Draws the crops.
    device : torch.device
        Device of the photographs.
    count : int
        Number of crops.
    batch : int
        Number of crops in a batch.
    """

    sampler: PairSampler
    device: torch.device
    count: int = 128
    batch: int = 16

    def __call__(self) -> list[Photographs]:
        """Return all crops, in batches."""
        return self._crops

    @cached_property
    def _crops(self) -> list[Photographs]:
        firsts = range(0, self.count, self.batch)
        spans = [range(first, min(first + self.batch, self.count)) for first in firsts]
        return [
            self.sampler(SampleRNG.from_key(_FIXED_SEED, samples=span, device=self.device))
            for span in spans
        ]
