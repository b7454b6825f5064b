"""The learnable blur kernels: one per whole radius, physical by construction."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from napari_defocus.optics.kernels import butterworth, grid, half_pupil, mirrored, normalized

_DARK = 1e-2
_PUPIL_STEPS, _PUPIL_RADIUS = 41, 1.25
_LEAST_SHARED = 3
_LEAST_MEASURED = 6


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
        return (stored, mirrored(stored)) if in_front else (mirrored(stored), stored)

    def whole_scores(self) -> Tensor:
        """Logarithms (R, S, S) of the left view's kernels, up to a constant each."""
        return self.scores

    def center(self) -> Tensor:
        """Kernels (R, S, S) of the whole pupil: the mean of both views'."""
        left, right = self.views(in_front=True)
        return normalized(left + right)

    @torch.no_grad()
    def edge(self) -> float:
        """Where the light of the whole pupil, averaged over directions, falls to half its height.

        In units of the radius, averaged over radii from 6 px on. By definition of the radius it
        should be 1; reblurring alone would not notice if all kernels were smaller, and all radii
        as much larger.
        """
        whole = self.center()
        half = whole.shape[-1] // 2
        y, x = grid(half)
        ring = (torch.hypot(y, x).to(whole.device) + 0.5).long().flatten()
        sizes = torch.bincount(ring)
        shares = []
        for radius in range(min(_LEAST_MEASURED, half - 1), half):
            light = torch.zeros(len(sizes), device=whole.device)
            profile = light.index_add_(0, ring, whole[radius].flatten()) / sizes
            level = profile.max() / 2
            last = int((profile >= level).nonzero().max())
            fall = (profile[last] - level) / (profile[last] - profile[last + 1])
            shares.append((last + float(fall)) / radius)
        return sum(shares) / len(shares)


class SharedPupilBank(KernelBank):
    """A bank in which one pupil, seen at every radius, and what each radius adds are learned.

    A lens's kernels are images of its pupil, larger with the radius. What the small and frequent
    radii teach of the pupil so reaches the large and rare ones, and a kernel cannot pass for that
    of another radius, which reblurring alone would allow.

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
        radii = torch.arange(max_radius + 1.0).clamp(min=_LEAST_SHARED)[:, None] * _PUPIL_RADIUS
        y = (steps / radii)[:, :, None].expand(-1, -1, len(steps))
        x = (steps / radii)[:, None, :].expand(-1, len(steps), -1)
        self.register_buffer("places", torch.stack([x, y], -1), persistent=False)
        self.places: Tensor
        shared = torch.arange(max_radius + 1) >= _LEAST_SHARED
        self.register_buffer("shared", shared[:, None, None], persistent=False)
        self.shared: Tensor
        start = self.scores.detach()
        at = torch.stack(torch.meshgrid(line, line, indexing="ij")[::-1], -1) * last / half
        pupil = functional.grid_sample(start[None, -1:], at[None], align_corners=True)
        self.pupil = nn.Parameter(pupil.clamp(min=math.log(_DARK)))
        self.scores = nn.Parameter(start - self.of_pupil().detach())

    def of_pupil(self) -> Tensor:
        """The pupil's share of the scores (R, S, S); none of radii below 3 px."""
        pupil = self.pupil.expand(len(self.places), -1, -1, -1)
        seen = functional.grid_sample(pupil, self.places, align_corners=True, padding_mode="border")
        return torch.where(self.shared, seen[:, 0], 0.0)

    def whole_scores(self) -> Tensor:
        """As `KernelBank.whole_scores`."""
        return self.of_pupil() + self.scores

    def own_scores(self) -> Tensor:
        """What each radius adds to the pupil, within its support: (P,)."""
        return self.scores[self.inside & self.shared]

    def roughness(self) -> Tensor:
        """Mean absolute difference between neighbors of the pupil's scores."""
        return self.pupil.diff(dim=-1).abs().mean() + self.pupil.diff(dim=-2).abs().mean()

    def plain(self) -> KernelBank:
        """The same kernels, each on its own."""
        bank = KernelBank(len(self.scores) - 1).to(self.scores.device)
        with torch.no_grad():
            bank.scores.copy_(self.whole_scores())
        return bank
