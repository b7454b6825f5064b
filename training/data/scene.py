"""Batches of scenes with the true signed blur radius, as two dual-pixel views."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from training.data.rng import SampleRNG


@dataclass(frozen=True)
class Scenes:
    """A batch of scenes in linear light; values may exceed 1 in highlights.

    Attributes
    ----------
    sharp, left, right : Tensor
        (N, 3, H, W).
    radius : Tensor
        (N, 1, H, W) signed radius in px, > 0 where left content lies to the right of right's.
    fluorescent : Tensor
        (N,) bool: bright structures on a dark background, as a microscope's camera counts them.
    """

    #: Channels of `stacked`.
    CHANNELS: ClassVar[int] = 10

    sharp: Tensor
    left: Tensor
    right: Tensor
    radius: Tensor
    fluorescent: Tensor

    def stacked(self) -> Tensor:
        """(N, 10, H, W): sharp, left, right, radius."""
        return torch.cat([self.sharp, self.left, self.right, self.radius], 1)

    @classmethod
    def of(cls, stacked: Tensor, fluorescent: Tensor) -> "Scenes":
        """Make scenes of the tensor that `stacked` returns."""
        sharp, left, right, radius = stacked.split([3, 3, 3, 1], 1)
        return cls(sharp, left, right, radius, fluorescent)


def mirror_at_random(scenes: Scenes, rng: SampleRNG) -> Scenes:
    """Mirror each scene along y, x, both or not; mirroring along x swaps the radius' sign."""
    upside, sideways = rng.bernoulli(0.5, 2, 1, 1, 1).unbind(1)
    stacked = scenes.stacked()
    stacked = torch.where(upside, stacked.flip(-2), stacked)
    stacked = torch.where(sideways, stacked.flip(-1), stacked)
    mirrored = Scenes.of(stacked, scenes.fluorescent)
    mirrored.radius.mul_(torch.where(sideways, -1.0, 1.0))
    return mirrored
