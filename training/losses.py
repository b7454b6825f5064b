"""Loss terms."""

import torch
from torch import Tensor
from torch.nn import functional

CONFIDENT_WITHIN = 1.0


def radius_loss(radius: Tensor, truth: Tensor) -> Tensor:
    """Mean absolute error in px, large radii weighted down: |r - t| / (1 + 0.15 |t|)."""
    return ((radius - truth).abs() / (1 + 0.15 * truth.abs())).mean()


def confidence_loss(confidence: Tensor, radius: Tensor, truth: Tensor) -> Tensor:
    """Cross-entropy of the confidence against whether the radius is within 1 px of the truth."""
    hit = ((radius - truth).abs().detach() < CONFIDENT_WITHIN).float()
    return functional.binary_cross_entropy(confidence.clamp(1e-4, 1 - 1e-4), hit)


def charbonnier(image: Tensor, target: Tensor, epsilon: float = 1e-3) -> Tensor:
    """Smooth absolute error."""
    return ((image - target) ** 2 + epsilon**2).sqrt().mean()


def fourier_loss(image: Tensor, target: Tensor) -> Tensor:
    """Mean absolute error of the orthonormal Fourier coefficients' real and imaginary parts."""
    difference = torch.fft.rfft2(image - target, norm="ortho")
    return torch.view_as_real(difference).abs().mean()
