"""Random numbers that depend on a sample, and not on its batch."""

import math
from collections.abc import Iterator, Sequence
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


class SampleRNG:
    """A stream of random numbers for each sample of a batch.

    A sample drawn alone, in a batch, in part of a batch on another process, or again after an
    interruption is the same sample.

    Parameters
    ----------
    streams : sequence of numpy Generator
        One for each sample.
    device : torch.device or str
        Device of the tensors.

    Examples
    --------
    >>> whole = SampleRNG.from_key(7, samples=range(4)).uniform(0, 1)
    >>> part = SampleRNG.from_key(7, samples=range(2, 4)).uniform(0, 1)
    >>> bool((whole[2:] == part).all())
    True
    """

    def __init__(
        self, streams: Sequence[np.random.Generator], device: torch.device | str = "cpu"
    ) -> None:
        self._streams = list(streams)
        self.device = torch.device(device)

    @property
    def streams(self) -> list[np.random.Generator]:
        """The stream of each sample."""
        return self._streams

    @classmethod
    def from_key(
        cls, *key: int, samples: Sequence[int], device: torch.device | str = "cpu"
    ) -> Self:
        """Seed streams with whole numbers >= 0: the purpose of a batch, and its samples."""
        return cls([np.random.default_rng([*key, sample]) for sample in samples], device)

    def __len__(self) -> int:
        return len(self.streams)

    def select(self, mask: Tensor) -> Self:
        """Return the streams where `mask`, (N,) bool, is true."""
        pairs = zip(self.streams, mask.tolist(), strict=True)
        return type(self)([stream for stream, chosen in pairs if chosen], self.device)

    def uniform(self, low: float, high: float, *shape: int) -> Tensor:
        """Return (N, *shape) float32, uniform between two values."""
        return self._stack([stream.uniform(low, high, shape) for stream in self.streams])

    def log_uniform(self, low: float, high: float, *shape: int) -> Tensor:
        """Return (N, *shape) float32, log-uniform between two values."""
        return self.uniform(math.log(low), math.log(high), *shape).exp()

    def normal(self, *shape: int) -> Tensor:
        """Return (N, *shape) float32, standard normal, the same on every device."""
        return self._stack([stream.standard_normal(shape) for stream in self.streams])

    def integers(self, low: int, high: int, *shape: int) -> Tensor:
        """Return (N, *shape) int64 in [low, high)."""
        drawn = [stream.integers(low, high, shape) for stream in self.streams]
        return torch.from_numpy(np.stack(drawn)).to(self.device)

    def bernoulli(self, share: float, *shape: int) -> Tensor:
        """Return (N, *shape) bool, true with probability `share`."""
        return self.uniform(0, 1, *shape) < share

    def noise(self, *shape: int) -> Tensor:
        """Return (N, *shape) float32, standard normal, drawn on the device: for whole pictures."""
        return torch.stack(
            [
                torch.randn(shape, generator=generator, device=self.device)
                for generator in self._on_device()
            ]
        )

    def poisson(self, rate: Tensor) -> Tensor:
        """Return (N, ...) Poisson counts of mean `rate`, drawn on the device."""
        pairs = zip(rate, self._on_device(), strict=True)
        return torch.stack([torch.poisson(mean, generator) for mean, generator in pairs])

    def _on_device(self) -> Iterator[torch.Generator]:
        for stream in self.streams:
            yield torch.Generator(self.device).manual_seed(int(stream.integers(2**62)))

    def _stack(self, drawn: Sequence[NDArray[np.float64]]) -> Tensor:
        return torch.from_numpy(np.stack(drawn).astype(np.float32)).to(self.device)


class BatchRNG(SampleRNG):
    """One stream of random numbers for a whole batch, on its device.

    Large batches are drawn several times faster than from a stream for each sample, and on a GPU
    without a copy; but samples depend on their batch.

    Parameters
    ----------
    generator : torch.Generator
        The stream; its device is where the tensors are made.
    count : int
        Samples.

    Examples
    --------
    >>> BatchRNG.from_key(7, samples=range(4)).uniform(0, 1, 2).shape
    torch.Size([4, 2])
    """

    def __init__(self, generator: torch.Generator, count: int) -> None:
        self.device = generator.device
        self._generator, self._count = generator, count

    @classmethod
    def from_key(
        cls, *key: int, samples: Sequence[int], device: torch.device | str = "cpu"
    ) -> Self:
        """Seed a stream with whole numbers >= 0: the purpose of a batch, and its samples."""
        seed = np.random.default_rng([*key, *samples]).integers(2**62)
        return cls(torch.Generator(device).manual_seed(int(seed)), len(samples))

    def __len__(self) -> int:
        return self._count

    @property
    def streams(self) -> list[np.random.Generator]:
        """A stream for each sample; new ones on every access."""
        seeds = self.integers(0, 2**62).tolist()
        return [np.random.default_rng(seed) for seed in seeds]

    def select(self, mask: Tensor) -> Self:
        """Return the same stream, for the samples where `mask`, (N,) bool, is true."""
        return type(self)(self._generator, int(mask.sum()))

    def uniform(self, low: float, high: float, *shape: int) -> Tensor:
        """As `SampleRNG.uniform`."""
        drawn = torch.rand(len(self), *shape, generator=self._generator, device=self.device)
        return low + (high - low) * drawn

    def normal(self, *shape: int) -> Tensor:
        """Return (N, *shape) float32, standard normal."""
        return torch.randn(len(self), *shape, generator=self._generator, device=self.device)

    def integers(self, low: int, high: int, *shape: int) -> Tensor:
        """As `SampleRNG.integers`."""
        size = (len(self), *shape)
        return torch.randint(low, high, size, generator=self._generator, device=self.device)

    def noise(self, *shape: int) -> Tensor:
        """As `normal`."""
        return self.normal(*shape)

    def poisson(self, rate: Tensor) -> Tensor:
        """As `SampleRNG.poisson`."""
        return torch.poisson(rate, self._generator)
