"""Learnable blur kernels, one per whole radius, non-negative and of unit sum."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from napari_defocus.optics.kernels import butterworth, grid, half_pupil, mirror, normalize

#: Least value of a new kernel, as a share of its maximum: the softmax hardly teaches darker ones.
_DARK = 1e-2
#: Samples along a side of the shared pupil.
_PUPIL_STEPS = 41
#: Half a side of the shared pupil, in radii: some light falls beyond 1.
_PUPIL_RADIUS = 1.25
#: Smallest radius in pixels whose kernel is an image of the shared pupil.
_MIN_SHARED_RADIUS = 3
#: Smallest radius in pixels whose edge is measured.
_MIN_EDGE_RADIUS = 6


class KernelBank(nn.Module):
    """Kernels of a dual-pixel lens for radii 0, 1, ..., `max_radius` and both signs.

    All weights are learnable. A softmax over the support of each kernel keeps it non-negative and
    of unit sum. Only the left view's kernels of positive radii are stored. The right view's are
    their mirror images, and a negative radius swaps the two.

    Parameters
    ----------
    max_radius : int
        Largest radius in px.

    Examples
    --------
    >>> bank = KernelBank(4)
    >>> left, right = bank.views(in_front=True)
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

    def views(self, *, in_front: bool) -> tuple[Tensor, Tensor]:
        """Return the kernels (R, S, S) of the left and the right view for one sign of the radius.

        Positive radii lie in front of the plane of focus, negative ones behind it.
        """
        scores = self.whole_scores().masked_fill(~self.inside, -torch.inf)
        stored = scores.flatten(1).softmax(1).view_as(scores)
        return (stored, mirror(stored)) if in_front else (mirror(stored), stored)

    def whole_scores(self) -> Tensor:
        """Return the logarithms (R, S, S) of the left view's kernels, each up to a constant."""
        return self.scores

    def center(self) -> Tensor:
        """Return the kernels (R, S, S) of the whole pupil: the mean of both views."""
        left, right = self.views(in_front=True)
        return normalize(left + right)

    @torch.no_grad()
    def edge(self) -> float:
        """Return the distance at which the radial profile of the pupil falls to half its maximum.

        It is divided by the radius, and averaged over radii from 6 px on. By definition of the
        radius it should be 1; reblurring cannot tell smaller kernels from larger radii.
        """
        whole = self.center()
        half = whole.shape[-1] // 2
        y, x = grid(half)
        ring = (torch.hypot(y, x).to(whole.device) + 0.5).long().flatten()
        sizes = torch.bincount(ring)
        shares = []
        for radius in range(min(_MIN_EDGE_RADIUS, half - 1), half):
            light = torch.zeros(len(sizes), device=whole.device)
            profile = light.index_add_(0, ring, whole[radius].flatten()) / sizes
            level = profile.max() / 2
            last = int((profile >= level).nonzero().max())
            fall = (profile[last] - level) / (profile[last] - profile[last + 1])
            shares.append((last + float(fall)) / radius)
        return sum(shares) / len(shares)


class SharedPupilBank(KernelBank):
    """Kernels that share one learnable pupil and have a learnable residual for each radius.

    The kernels of a lens are images of its pupil, whose size grows with the radius. The shared
    pupil carries what is learned at small, frequent radii to large, rare ones, and keeps a kernel
    from becoming that of another radius, which reblurring cannot prevent.

    Parameters
    ----------
    max_radius : int
        Largest radius in px.

    Examples
    --------
    >>> plain = SharedPupilBank(4).plain()
    >>> type(plain).__name__, plain.scores.shape
    ('KernelBank', torch.Size([5, 11, 11]))
    """

    def __init__(self, max_radius: int = 24) -> None:
        super().__init__(max_radius)
        line = torch.linspace(-_PUPIL_RADIUS, _PUPIL_RADIUS, _PUPIL_STEPS)
        half, last = max_radius + 1, max_radius
        steps = torch.arange(-half, half + 1.0)
        radii = (
            torch.arange(max_radius + 1.0).clamp(min=_MIN_SHARED_RADIUS)[:, None] * _PUPIL_RADIUS
        )
        y = (steps / radii)[:, :, None].expand(-1, -1, len(steps))
        x = (steps / radii)[:, None, :].expand(-1, len(steps), -1)
        self.register_buffer("places", torch.stack([x, y], -1), persistent=False)
        self.places: Tensor
        shared = torch.arange(max_radius + 1) >= _MIN_SHARED_RADIUS
        self.register_buffer("shared", shared[:, None, None], persistent=False)
        self.shared: Tensor
        start = self.scores.detach()
        at = torch.stack(torch.meshgrid(line, line, indexing="ij")[::-1], -1) * last / half
        pupil = functional.grid_sample(start[None, -1:], at[None], align_corners=True)
        self.pupil = nn.Parameter(pupil.clamp(min=math.log(_DARK)))
        self.scores = nn.Parameter(start - self.pupil_scores().detach())

    def pupil_scores(self) -> Tensor:
        """Return the pupil's part of the scores (R, S, S); 0 for radii below 3 px."""
        pupil = self.pupil.expand(len(self.places), -1, -1, -1)
        images = functional.grid_sample(
            pupil, self.places, align_corners=True, padding_mode="border"
        )
        return torch.where(self.shared, images[:, 0], 0.0)

    def whole_scores(self) -> Tensor:
        """Return the scores of `KernelBank.whole_scores`: pupil plus residuals."""
        return self.pupil_scores() + self.scores

    def residual_scores(self) -> Tensor:
        """Return the residuals (P,) of all radii within their supports."""
        return self.scores[self.inside & self.shared]

    def roughness(self) -> Tensor:
        """Return the mean absolute difference between neighbors in the pupil's scores."""
        return self.pupil.diff(dim=-1).abs().mean() + self.pupil.diff(dim=-2).abs().mean()

    def plain(self) -> KernelBank:
        """Return a bank of the same kernels without a shared pupil."""
        bank = KernelBank(len(self.scores) - 1).to(self.scores.device)
        with torch.no_grad():
            bank.scores.copy_(self.whole_scores())
        return bank
