"""Description of a network's inputs, outputs and limits, by which the engine tiles it."""

from dataclasses import dataclass
from typing import Literal

Task = Literal["single", "dual", "deblur"]

_CHANNELS: dict[Task, tuple[int, int]] = {"single": (5, 2), "dual": (8, 2), "deblur": (5, 3)}


@dataclass(frozen=True)
class Descriptor:
    """Inputs, outputs and limits of a network.

    Parameters
    ----------
    task : {"single", "dual", "deblur"}
        ``single``: RGB, radius and confidence of a coarser estimate (0 and 0 without one) ->
        (radius, confidence). ``dual``: left RGB, right RGB, signed radius and confidence of a
        coarser estimate -> (signed radius, confidence). ``deblur``: RGB, radius, confidence -> RGB.
    receptive_radius : int
        Largest distance in pixels at which an input pixel affects a result: the halo of a tile.
    multiple : int
        Height and width of the input must be multiples of this.
    max_radius : float
        Largest blur radius in pixels that the network returns or corrects.
    bfloat16 : bool
        Whether results stay accurate under bfloat16 autocast.
    """

    task: Task
    receptive_radius: int
    multiple: int
    max_radius: float = 24.0
    bfloat16: bool = True

    @property
    def in_channels(self) -> int:
        """Number of input channels."""
        return _CHANNELS[self.task][0]

    @property
    def out_channels(self) -> int:
        """Number of output channels."""
        return _CHANNELS[self.task][1]
