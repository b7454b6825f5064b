"""The learnable blur kernels: one per whole radius, physical by construction."""

import torch
from torch import Tensor, nn

from napari_defocus.optics.kernels import butterworth, grid, half_pupil, mirrored, normalised

_DARK = 1e-4


class KernelBank(nn.Module):
    """Kernels of a dual-pixel lens for radii 0, 1, ..., `max_radius` and both signs.

    All weights are learnable. A softmax over each kernel's own support keeps it non-negative and
    of unit sum. Only the left view's kernels of positive radii are stored; the right view's are
    their mirror images, and a negative radius swaps the two.

    Parameters
    ----------
    max_radius : int
        Largest radius in px.

    Examples
    --------
    >>> bank = KernelBank(4)
    >>> left, right = bank.views(negative=False)
    >>> left.shape, bool(torch.allclose(right, left.flip(-1)))
    (torch.Size([5, 11, 11]), True)
    """

    def __init__(self, max_radius: int = 24) -> None:
        super().__init__()
        reach = max_radius + 1
        start = torch.stack(
            [half_pupil(butterworth(float(r), reach), 0.5 * r) for r in range(max_radius + 1)]
        )
        y, x = grid(reach)
        radii = torch.arange(max_radius + 1.0)[:, None, None]
        self.register_buffer("inside", torch.hypot(y, x) <= radii + 1, persistent=False)
        self.inside: Tensor
        peak = start.amax((-2, -1), keepdim=True)
        self.scores = nn.Parameter((start / peak).clamp(min=_DARK).log())

    def views(self, *, negative: bool) -> tuple[Tensor, Tensor]:
        """Kernels (R, S, S) of the left and of the right view, for one sign of the radius."""
        scores = self.scores.masked_fill(~self.inside, -torch.inf)
        stored = scores.flatten(1).softmax(1).view_as(scores)
        return (mirrored(stored), stored) if negative else (stored, mirrored(stored))

    def centre(self) -> Tensor:
        """Kernels (R, S, S) of the whole pupil: the mean of both views'."""
        left, right = self.views(negative=False)
        return normalised(left + right)
