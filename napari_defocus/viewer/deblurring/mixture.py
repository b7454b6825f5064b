"""Image and result, mixed in any amount without another run."""

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ...image.encoding import blend
from ...inference.engine import Progress

#: Values that are mixed at a time.
_BLOCK = 4_000_000


@dataclass(frozen=True)
class Mixture:
    """Image and result of deblurring with an amount of 1.

    Parameters
    ----------
    before, after : arrays
        The image and the result in full.
    channel_axis : int or None
        Their axis of colors.
    """

    before: npt.NDArray[Any]
    after: npt.NDArray[Any]
    channel_axis: int | None

    def steps(self, amount: float) -> Generator[Progress, None, npt.NDArray[Any]]:
        """Return what deblurring with an amount gives, yielding after every block.

        Parameters
        ----------
        amount : float
            As in :class:`napari_defocus.DeblurSettings`.
        """
        if amount == 1:
            return self.after
        mixed = np.empty(self.after.size, self.after.dtype)
        before, after = self.before.reshape(-1), self.after.reshape(-1)
        for start in range(0, mixed.size, _BLOCK):
            block = slice(start, start + _BLOCK)
            mixed[block] = blend(before[block], after[block], amount)
            yield Progress(0, 0)
        return mixed.reshape(self.after.shape)

    def share_changed(self, image: npt.NDArray[Any]) -> float:
        """Return the share of the pixels of a mixture that differ from the image in any channel."""
        differs = (image != self.before) & (image == image)  # NaN stays NaN
        if self.channel_axis is not None:
            differs = differs.any(axis=self.channel_axis)
        return float(np.mean(differs))


def with_amount(record: Mapping[str, Any], amount: float) -> dict[str, Any]:
    """Return the provenance of a result for another amount."""
    return {**record, "parameters": {**record["parameters"], "amount": amount}}


def describe_share(share: float) -> str:
    """Return a sentence about the share of the pixels that deblurring changed."""
    return f"{percent(share)} of the pixels changed; the rest was sharp, unsure or left alone"


def percent(share: float) -> str:
    """Return a share in percent, which is 0 only if it is nothing."""
    return "less than 1%" if 0 < share < 0.01 else f"{share:.0%}"
