"""Protocols of the renderer's lenses, and a lens with fixed kernels."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor
from torch.nn import functional

from napari_defocus.io.pupil_file import read_bank
from napari_defocus.optics.bank import KernelBank
from training.data.rng import SampleRNG


class Optics(Protocol):
    """The lenses or microscopes of a batch of N scenes."""

    @property
    def fringe(self) -> Tensor:
        """(N, 3) what red, green and blue add to a radius, in px."""
        ...

    def kernels(self, scene: Tensor, radius: Tensor, half: int) -> Tensor:
        """Return the kernels of the left and the right view.

        Parameters
        ----------
        scene : Tensor
            (M,) whose lens: numbers below N.
        radius : Tensor
            (M,) signed radii in pixels.
        half : int
            Half-width of the kernels' square in pixels.

        Returns
        -------
        Tensor
            (M, 2, S, S), S = 2 half + 1, non-negative, each of unit sum; or (M, 2, 3, S, S), one
            for each color. For a positive radius the left view's weight lies at x > 0.
        """
        ...


class Lenses(Optics, Protocol):
    """The lenses of a batch of N scenes, with divided pupils."""

    def disparity(self, radius: Tensor) -> Tensor:
        """Return the distance of the centers of mass of both views' kernels, in px.

        Of signed radii (N, 1, H, W) in px.
        """
        ...


@runtime_checkable
class FieldLenses(Lenses, Protocol):
    """Lenses whose blur varies along a direction of each scene."""

    @property
    def other_end(self) -> Lenses:
        """The lenses at the other end of the scenes."""
        ...

    @property
    def toward(self) -> Tensor:
        """(N, 2) x and y of the unit vectors toward the other end, or 0 where blur is even."""
        ...


class OpticsSource(Protocol):
    """Protocol of a source that draws a lens or a microscope for every scene."""

    def draw(self, rng: SampleRNG) -> Optics:
        """Draw one for each stream of rng, on its device."""
        ...


class LensSource(Protocol):
    """Protocol of a source that draws a lens for every scene."""

    def draw(self, rng: SampleRNG) -> Lenses:
        """Draw a lens for each stream of rng, on its device."""
        ...


class BankLens:
    """Source of the one lens of a kernel bank, the same for every scene.

    Parameters
    ----------
    bank : KernelBank
        Its kernels as they are now, interpolated linearly between whole radii.
    """

    def __init__(self, bank: KernelBank) -> None:
        with torch.no_grad():
            self._views = torch.stack(bank.views(in_front=True), 1)

    @classmethod
    def read(cls, path: Path) -> "BankLens":
        """Read the lens of a bank's weights in a safetensors file."""
        return cls(read_bank(path))

    def draw(self, rng: SampleRNG) -> Lenses:
        """Return the same lens for each stream of rng."""
        fringe = torch.zeros(len(rng), 3, device=rng.device)
        return _FixedLenses(self._views.to(rng.device), fringe)


@dataclass(frozen=True)
class _FixedLenses:
    """One lens for all scenes: views (R, 2, S, S) of each whole radius."""

    views: Tensor
    fringe: Tensor

    def disparity(self, radius: Tensor) -> Tensor:
        """As `Lenses.disparity`: in proportion to the largest radius."""
        half = self.views.shape[-1] // 2
        columns = torch.arange(-half, half + 1, device=self.views.device)
        left, right = (self.views[-1].sum(-2) * columns).sum(-1).unbind()
        return radius * (left - right) / (len(self.views) - 1)

    def kernels(self, scene: Tensor, radius: Tensor, half: int) -> Tensor:
        """As `Optics.kernels`; a radius is at most the largest of the views."""
        del scene
        largest = len(self.views) - 1
        if radius.abs().max() > largest:
            raise ValueError(f"the lens knows radii up to {largest} px")
        steps = torch.arange(largest + 1, device=radius.device)
        weights = (1 - (radius.abs()[:, None] - steps).abs()).clamp(min=0)
        kernels = torch.einsum("mr,rvyx->mvyx", weights, self.views)
        kernels = torch.where((radius < 0)[:, None, None, None], kernels.flip(1), kernels)
        room = half - kernels.shape[-1] // 2
        return functional.pad(kernels, (room, room, room, room))
