"""What a renderer asks of a lens, and a lens whose kernels are given."""

from pathlib import Path
from typing import Protocol

import torch
from safetensors.torch import load_file
from torch import Tensor
from torch.nn import functional

from napari_defocus.optics.bank import KernelBank
from training.data.chance import Chance


class Lenses(Protocol):
    """The lenses of a batch of scenes."""

    def kernels(self, radius: Tensor, half: int) -> Tensor:
        """Kernels of the left and the right view.

        Parameters
        ----------
        radius : Tensor
            (B, K) signed radii in pixels.
        half : int
            Half-width of the kernels' square in pixels.

        Returns
        -------
        Tensor
            (B, K, 2, S, S), S = 2 half + 1, non-negative; the two views sum to 2, equally shared
            up to the lens's own balance. For a positive radius left weight lies at x > 0.
        """
        ...


class Optics(Protocol):
    """Gives every scene its lens."""

    def draw(self, chance: Chance) -> Lenses:
        """Draw a lens for each stream of chance, on its device."""
        ...


class BankLens:
    """The one lens that a kernel bank describes, the same for every scene.

    Parameters
    ----------
    bank : KernelBank
        Its kernels as they are now, interpolated linearly between whole radii.
    """

    def __init__(self, bank: KernelBank) -> None:
        with torch.no_grad():
            self._views = torch.stack(bank.views(negative=False), 1)

    @classmethod
    def read(cls, path: Path) -> "BankLens":
        """The lens of a bank's weights in a safetensors file."""
        return cls(read_bank(path))

    def draw(self, chance: Chance) -> Lenses:
        """Itself, on the device of chance."""
        self._views = self._views.to(chance.device)
        return self

    def kernels(self, radius: Tensor, half: int) -> Tensor:
        """As `Lenses.kernels`; radii are at most the bank's."""
        largest = len(self._views) - 1
        if radius.abs().max() > largest:
            raise ValueError(f"the lens knows radii up to {largest} px")
        steps = torch.arange(largest + 1, device=radius.device)
        weights = (1 - (radius.abs()[..., None] - steps).abs()).clamp(min=0)
        views = torch.einsum("bkr,rvyx->bkvyx", weights, self._views)
        views = torch.where((radius < 0)[..., None, None, None], views.flip(2), views)
        room = half - views.shape[-1] // 2
        return functional.pad(views, (room, room, room, room))


def read_bank(path: Path) -> KernelBank:
    """Read a kernel bank from the state dict in a safetensors file."""
    state = load_file(path)
    bank = KernelBank(len(state["scores"]) - 1)
    bank.load_state_dict(state)
    return bank
