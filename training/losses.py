"""Loss terms. Each is a mean over samples, so that parts of a batch add up to the whole."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from napari_defocus.optics.light import decode_srgb

CONFIDENT_WITHIN = 1.0
#: How much less errors count for each px of the true radius.
USUAL_RELIEF = 0.15
_LEAST_DOUBT = 1e-6


def radius_loss(
    radius: Tensor, truth: Tensor, sure: Tensor, relief: float = USUAL_RELIEF
) -> Tensor:
    """Mean absolute error in px, large radii weighted down: sure |r - t| / (1 + relief |t|).

    `sure`, in [0, 1], says how much the truth of each pixel counts.
    """
    return (sure * (radius - truth).abs() / (1 + relief * truth.abs())).mean()


def confidence_loss(confidence: Tensor, radius: Tensor, truth: Tensor, sure: Tensor) -> Tensor:
    """Cross-entropy of the confidence against whether the radius is within 1 px of the truth.

    Where the truth itself is in doubt, a hit counts as much as it is `sure`.
    """
    hit = ((radius - truth).abs().detach() < CONFIDENT_WITHIN).float() * sure
    return cross_entropy(confidence, hit)


def spread_loss(confidence: Tensor, radius: Tensor, truth: Tensor, sure: Tensor) -> Tensor:
    """Negative log-likelihood, in nats, of the errors that the confidence lets expect.

    Notes
    -----
    Errors fall off exponentially (see `napari_defocus.pipeline.confidence`), so they are below
    1 px with probability ``1 - exp(-1 / mean)``. If that is the confidence, ``1 / mean`` is
    ``-log(1 - confidence)``. So radii that are all but certain to be within 1 px still differ in
    confidence by how large their errors are.
    """
    wrong = (radius - truth).abs().detach() / CONFIDENT_WITHIN
    rate = -torch.log1p(-confidence.float().clamp(_LEAST_DOUBT, 1 - _LEAST_DOUBT))
    return (sure * (rate * wrong - rate.log())).mean()


def cross_entropy(probability: Tensor, share: Tensor) -> Tensor:
    """Mean cross-entropy in nats of a probability against the share of hits it should be.

    As torch's own, which refuses to run where half precision is cast automatically.
    """
    p = probability.float().clamp(1e-4, 1 - 1e-4)
    return -(share * p.log() + (1 - share) * (1 - p).log()).mean()


def charbonnier(image: Tensor, target: Tensor, epsilon: float = 1e-3) -> Tensor:
    """Smooth absolute error."""
    return ((image - target) ** 2 + epsilon**2).sqrt().mean()


def decibel_loss(image: Tensor, target: Tensor, floor: float = 1e-4) -> Tensor:
    """Mean over samples of the squared error in dB: what is less of it is as much more of PSNR.

    `floor` is added to the squared error, or samples that are nearly right would count most.
    """
    squared = ((image - target) ** 2).flatten(1).mean(1)
    return 10 * (squared + floor).log10().mean()


def fourier_loss(image: Tensor, target: Tensor) -> Tensor:
    """Mean absolute error of the orthonormal Fourier coefficients' real and imaginary parts."""
    difference = torch.fft.rfft2(image - target, norm="ortho")
    return torch.view_as_real(difference).abs().mean()


def edge_loss(image: Tensor, target: Tensor) -> Tensor:
    """Mean absolute error of the differences between neighboring pixels, down and across."""
    difference = image - target
    return difference.diff(dim=-2).abs().mean() + difference.diff(dim=-1).abs().mean()


def flux_loss(image: Tensor, target: Tensor, windows: Sequence[int] = (8, 32, 128)) -> Tensor:
    """Mean absolute error of the linear light that windows of several sizes receive, per pixel.

    Blur moves light and neither makes nor takes any, so what is measured in an image is to be
    found in its restoration; display-encoded values are decoded first. Small windows tell where
    it is, large ones of a bias too small to be seen in the noise.
    """
    difference = decode_srgb(image) - decode_srgb(target)
    side = min(image.shape[-2:])
    means = [functional.avg_pool2d(difference, min(window, side)) for window in windows]
    return torch.stack([mean.abs().mean() for mean in means]).sum()


def critic_loss(real: Tensor, fake: Tensor, radius: Tensor, defocus: float) -> Tensor:
    """Wasserstein loss of the discriminator; patches more out of focus weigh more.

    Parameters
    ----------
    real, fake : Tensor
        (N, 1, h, w) scores of patches.
    radius : Tensor
        (N, 1, H, W) blur radius in px.
    defocus : float
        How much more a patch weighs per px of its mean radius; 0 is the usual loss.

    Notes
    -----
    mean(d) + defocus * mean(d |r|), d = D(fake) - D(real): the defocus adversarial loss (Zhai et
    al. 2023).
    """
    return (patch_weights(radius, fake, defocus) * (fake - real)).mean()


def adversary_loss(fake: Tensor, radius: Tensor, defocus: float) -> Tensor:
    """The generator's side of `critic_loss`, with its weights or, at 0, without."""
    return -(patch_weights(radius, fake, defocus) * fake).mean()


def patch_weights(radius: Tensor, scores: Tensor, defocus: float) -> Tensor:
    """1 + defocus * (mean radius of each patch), (N, 1, h, w)."""
    return 1 + defocus * functional.adaptive_avg_pool2d(
        radius.abs(), (scores.shape[-2], scores.shape[-1])
    )
