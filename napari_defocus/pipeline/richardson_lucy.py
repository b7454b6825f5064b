"""Richardson-Lucy steps that bring a deblurred micrograph nearer to its image."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from ..objective import Objective

if TYPE_CHECKING:
    from torch import Tensor

#: A common microscope, in place of one that is not known: pixels of 0.7 wavelength / (2 NA).
USUAL_OPTICS = Objective(na=0.6, wavelength_um=0.5, pixel_size_um=0.29)
#: Radii in pixels whose transfer functions are computed; those between are interpolated.
_KNOTS = (0.0, 1.0, 1.5, 2.0, 2.6, 3.3, 4.2, 5.2, 6.5, 8.0, 10.0, 12.0, 15.0, 19.0, 24.0)
_LARGEST_FREQUENCY, _FREQUENCIES = 0.72, 97
#: Least light, as a share of the range, so that steps, which multiply, can change it.
_LEAST_LIGHT = 1e-4
#: Least power of a step's change by which the next one is divided.
_LEAST_POWER = 1e-30
#: Share of the light of a pixel outside the image that must reach it to be restored.
_LEAST_SHARE = 0.05


class DefocusBlur:
    """Blur by the spots of a microscope, whose radius differs from pixel to pixel.

    Parameters
    ----------
    radius : Tensor
        (H, W) radius in pixels, >= 0.
    optics : Objective
        The microscope.
    widest : float
        The largest radius for which the border leaves room.

    Attributes
    ----------
    total : Tensor
        Share of the light of each padded pixel that the image receives out of focus.
    """

    def __init__(self, radius: Tensor, optics: Objective, widest: float) -> None:
        import torch
        from torch.nn import functional

        from ..optics.convolution import fast_length, transfer_function

        height, width = radius.shape
        self._half = _half(_KNOTS[int(np.searchsorted(_KNOTS[:-1], widest))])
        rows, columns = (fast_length(length + 2 * self._half) for length in radius.shape)
        self._size = (rows, columns)
        self._inner = (
            slice(self._half, self._half + height),
            slice(self._half, self._half + width),
        )
        self._borders = (
            *(self._half, columns - width - self._half),
            *(self._half, rows - height - self._half),
        )
        knots = torch.tensor(_KNOTS)
        place = functional.pad(radius.clamp(max=_KNOTS[-1])[None, None], self._borders, "replicate")
        above = torch.searchsorted(knots, place).clamp(1, len(_KNOTS) - 1)
        share = (place - knots[above - 1]) / (knots[above] - knots[above - 1])
        self._weights, self._transfers = [], []
        for index, knot in enumerate(_KNOTS):
            weight = torch.where(
                above == index, share, torch.where(above == index + 1, 1 - share, 0)
            )
            if bool((weight > 0).any()):
                self._weights.append(weight)
                self._transfers.append(transfer_function(_kernel(optics, knot), rows, columns))
        self._focus = transfer_function(_kernel(optics, 0.0), rows, columns)
        self._mask = functional.pad(torch.ones_like(radius)[None, None], self._borders)
        self.total = self._gather(torch.ones_like(place))

    def pad(self, light: Tensor) -> Tensor:
        """Return light (1, 1, H, W) with a border that repeats its rim."""
        from torch.nn import functional

        return functional.pad(light, self._borders, mode="replicate")

    def cut(self, padded: Tensor) -> Tensor:
        """Return padded light without its border."""
        return padded[..., self._inner[0], self._inner[1]]

    def blur(self, light: Tensor) -> Tensor:
        """Return padded light as it is seen out of focus."""
        import torch

        spectrum = torch.fft.rfft2(light)
        total = torch.zeros_like(light)
        for weight, transfer in zip(self._weights, self._transfers, strict=True):
            total += weight * torch.fft.irfft2(spectrum * transfer, s=self._size)
        return total

    def focus(self, light: Tensor) -> Tensor:
        """Return padded light as it is seen in focus."""
        import torch

        seen: Tensor = torch.fft.irfft2(torch.fft.rfft2(light) * self._focus, s=self._size)
        return seen

    def back(self, ratio: Tensor) -> Tensor:
        """Return the factors of padded light from those of the blurred one: the transposed blur.

        Only the image counts, not its border; light that hardly reaches it stays.
        """
        gathered = self._gather(ratio) / self.total.clamp(min=_LEAST_SHARE)
        return gathered.where(self.total > _LEAST_SHARE, 1)

    def _gather(self, ratio: Tensor) -> Tensor:
        import torch

        pairs = zip(self._weights, self._transfers, strict=True)
        spectra = [
            torch.fft.rfft2(weight * ratio * self._mask) * transfer for weight, transfer in pairs
        ]
        gathered: Tensor = torch.fft.irfft2(torch.stack(spectra).sum(0), s=self._size)
        return gathered


@lru_cache(maxsize=64)
def _kernel(optics: Objective, radius: float) -> Tensor:
    """Return the spot (S, S) of a radius in pixels, of sum 1."""
    import torch

    from ..optics.kernels import normalize

    side = 2 * _half(radius) + 1
    places = np.linspace(0, _LARGEST_FREQUENCY, _FREQUENCIES)
    frequency = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side))
    transfer = np.interp(frequency, places, optics.transfer(radius, places))
    spot = np.fft.fftshift(np.fft.irfft2(transfer, (side, side)))
    return normalize(torch.from_numpy(spot.clip(0).astype(np.float32)))


def _half(radius: float) -> int:
    """Return half a side of the kernel of a radius, both in pixels."""
    return int(np.ceil(1.5 * radius)) + 8


def refine(
    views: Sequence[tuple[Tensor, Tensor]],
    result: Tensor,
    ground: float,
    steps: int,
    optics: Objective,
) -> Tensor:
    """Return what Richardson-Lucy steps, begun from a deblurred plane, make of it.

    Parameters
    ----------
    views : sequence of (Tensor, Tensor)
        Images of the same specimen, each with its radii in pixels, >= 0; all (1, 1, H, W), images
        linear. There are several where neighboring planes of a stack show it.
    result : Tensor
        (1, 1, H, W) linear values of the deblurred plane.
    ground : float
        Light whose photons would add the noise that there is without light.
    steps : int
        Number of steps. The first image has the last one if it is a multiple of their number.
    optics : Objective
        The microscope.

    Notes
    -----
    W. H. Richardson, J. Opt. Soc. Am. 62, 55 (1972); L. B. Lucy, Astron. J. 79, 745 (1974). With
    `ground` added to both sides, the noise of reading is as that of photons (D. L. Snyder et al.,
    J. Opt. Soc. Am. A 10, 1014, 1993). Several images take turns, as
    ordered subsets (H. M. Hudson and R. S. Larkin, IEEE Trans. Med. Imaging 13, 601, 1994). What is
    restored is returned as the microscope in focus shows it.
    """
    widest = max(float(radius.max()) for _, radius in views)
    blurs = [DefocusBlur(radius[0, 0], optics, widest) for _, radius in views]
    images = [
        (blur.pad(light) + ground).clamp(min=0)
        for blur, (light, _) in zip(blurs, views, strict=True)
    ]
    estimate = blurs[0].pad(result.clamp(min=_LEAST_LIGHT))
    extrapolation = Extrapolation()
    for step in range(1, steps + 1):
        turn = step % len(views)
        blur, image = blurs[turn], images[turn]
        start = extrapolation.start_from(estimate)
        expected = blur.blur(start).clamp(min=0) + ground
        estimate = start * blur.back(image / expected.clamp(min=_LEAST_LIGHT)).clamp(min=0)
        extrapolation.add_change(estimate - start)
    return blurs[0].cut(blurs[0].focus(estimate))


class Extrapolation:
    """Starts of steps that go on in the direction of the steps before, as far as these agree.

    Notes
    -----
    D. S. C. Biggs and M. Andrews, "Acceleration of iterative image restoration algorithms", Appl.
    Opt. 36, 1766 (1997).

    Examples
    --------
    Steps that halve the distance to 0, and the same extrapolated:

    >>> import torch
    >>> plain = fast = torch.tensor([1.0])
    >>> extrapolation = Extrapolation()
    >>> for _ in range(6):
    ...     plain = plain / 2
    ...     start = extrapolation.start_from(fast)
    ...     fast = start / 2
    ...     extrapolation.add_change(fast - start)
    >>> bool(fast < plain / 4)
    True
    """

    def __init__(self) -> None:
        self._estimate: Tensor | None = None
        self._changes: list[Tensor] = []

    def start_from(self, estimate: Tensor) -> Tensor:
        """Return the start of the next step, >= 0, from the estimate after the last one."""
        last, self._estimate = self._estimate, estimate
        if last is None or len(self._changes) < 2:
            return estimate
        before, now = self._changes
        agreement = float((now * before).sum() / before.square().sum().clamp(min=_LEAST_POWER))
        return (estimate + min(max(agreement, 0.0), 1.0) * (estimate - last)).clamp(min=0)

    def add_change(self, change: Tensor) -> None:
        """Take notice of the change that a step made."""
        self._changes = [*self._changes[-1:], change]
