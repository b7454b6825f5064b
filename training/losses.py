"""Losses, each a mean over samples: those of equal parts of a batch average to its own."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from napari_defocus.networks.blocks import box
from napari_defocus.optics.light import decode_srgb

#: Largest error in px of a radius that counts as a hit.
CONFIDENT_WITHIN = 1.0
#: Default of `relief`, the discount of an error for each px of the true radius.
USUAL_RELIEF = 0.15
_MIN_PROBABILITY = 1e-6
#: Squared error of the light below which a sample is good enough: 60 dB.
_LIGHT_FLOOR = 1e-6


def radius_loss(
    radius: Tensor, truth: Tensor, weight: Tensor, relief: float = USUAL_RELIEF
) -> Tensor:
    """Return the mean absolute error in px, in which large radii weigh less.

    It is ``weight |r - t| / (1 + relief |t|)``, with a weight in [0, 1] for the truth of each
    pixel.
    """
    return (weight * (radius - truth).abs() / (1 + relief * truth.abs())).mean()


def confidence_loss(confidence: Tensor, radius: Tensor, truth: Tensor, weight: Tensor) -> Tensor:
    """Return the cross-entropy of the confidence against hits: errors below 1 px.

    The target is `weight` where the radius hits, and 0 elsewhere.
    """
    hit = ((radius - truth).abs().detach() < CONFIDENT_WITHIN).float() * weight
    return cross_entropy(confidence, hit)


def spread_loss(confidence: Tensor, radius: Tensor, truth: Tensor, weight: Tensor) -> Tensor:
    """Return the negative log-likelihood, in nats, of the errors by the confidence.

    Notes
    -----
    Errors fall off exponentially (see `napari_defocus.pipeline.confidence`), so they are below
    1 px with probability ``1 - exp(-1 / mean)``. If that is the confidence, ``1 / mean`` is
    ``-log(1 - confidence)``. So the confidence also tells small errors from very small ones.
    """
    error = (radius - truth).abs().detach() / CONFIDENT_WITHIN
    rate = -torch.log1p(-confidence.float().clamp(_MIN_PROBABILITY, 1 - _MIN_PROBABILITY))
    return (weight * (rate * error - rate.log())).mean()


def cross_entropy(probability: Tensor, share: Tensor) -> Tensor:
    """Return the mean cross-entropy in nats of a probability against the true share of hits.

    torch's own function does the same, but refuses to run under autocast.
    """
    p = probability.float().clamp(1e-4, 1 - 1e-4)
    return -(share * p.log() + (1 - share) * (1 - p).log()).mean()


def charbonnier(image: Tensor, target: Tensor, epsilon: float = 1e-3) -> Tensor:
    """Return the mean smooth absolute error, ``sqrt(difference^2 + epsilon^2)``."""
    return ((image - target) ** 2 + epsilon**2).sqrt().mean()


def decibel_loss(image: Tensor, target: Tensor, floor: float = 1e-4) -> Tensor:
    """Return the mean over samples of the squared error in dB: the negative of their PSNR.

    `floor` is added to the squared error; without it, nearly perfect samples would count most.
    """
    squared = ((image - target) ** 2).flatten(1).mean(1)
    return 10 * (squared + floor).log10().mean()


def light_loss(image: Tensor, target: Tensor) -> Tensor:
    """Return the mean over samples of the squared error of the linear light in dB.

    Display-encoded values are decoded first: encoded errors count dim parts more than bright ones,
    whose light is what is measured in micrographs.
    """
    return decibel_loss(decode_srgb(image), decode_srgb(target), _LIGHT_FLOOR)


def fourier_loss(image: Tensor, target: Tensor) -> Tensor:
    """Return the mean absolute error of the orthonormal Fourier coefficients.

    Real and imaginary parts count separately.
    """
    difference = torch.fft.rfft2(image - target, norm="ortho")
    return torch.view_as_real(difference).abs().mean()


def edge_loss(image: Tensor, target: Tensor) -> Tensor:
    """Return the mean absolute error of the differences between neighboring pixels."""
    difference = image - target
    return difference.diff(dim=-2).abs().mean() + difference.diff(dim=-1).abs().mean()


def flux_loss(image: Tensor, target: Tensor, windows: Sequence[int] = (8, 32, 128)) -> Tensor:
    """Return the mean absolute error of the linear light per pixel, averaged in windows.

    Blur moves light but keeps its amount, so a restoration should hold as much light as its image.
    Display-encoded values are decoded first. The errors of all window sizes are added: small
    windows show where light is lost, large ones a bias that would vanish in the noise.
    """
    difference = decode_srgb(image) - decode_srgb(target)
    side = min(image.shape[-2:])
    means = [functional.avg_pool2d(difference, min(window, side)) for window in windows]
    return torch.stack([mean.abs().mean() for mean in means]).sum()


def reversal_loss(image: Tensor, target: Tensor, widths: Sequence[int] = (1, 2, 4, 8)) -> Tensor:
    """Return the mean amplitude of detail whose sign is the opposite of the target's.

    An inverse filter of a wrong radius returns bands of detail with the wrong sign: double lines
    and bright gaps in place of dark ones. An absolute error counts them hardly more than detail
    that is missing.

    Parameters
    ----------
    image, target : Tensor
        (N, 3, H, W).
    widths : sequence of int
        Half-widths of the squares whose means bound the bands, the first one from the image itself.

    Notes
    -----
    For each band, with detail a and b of image and target and means over squares about as wide as
    its longest period: relu(-mean(a b)) / sqrt(mean(b^2) + 1e-4), the amplitude of a along -b.
    """
    losses = []
    finer, finer_target = image, target
    for half in widths:
        coarser, coarser_target = box(image, half), box(target, half)
        detail, true_detail = finer - coarser, finer_target - coarser_target
        both = box(detail * true_detail, 2 * half)
        power = box(true_detail**2, 2 * half)
        losses.append((functional.relu(-both) / (power + 1e-4).sqrt()).mean())
        finer, finer_target = coarser, coarser_target
    return torch.stack(losses).sum()


def discriminator_loss(real: Tensor, fake: Tensor, radius: Tensor, defocus: float) -> Tensor:
    """Return the Wasserstein loss of the discriminator; patches out of focus weigh more.

    Parameters
    ----------
    real, fake : Tensor
        (N, 1, h, w) scores of patches.
    radius : Tensor
        (N, 1, H, W) blur radius in px.
    defocus : float
        Additional weight of a patch per px of its mean radius; 0 is the usual loss.

    Notes
    -----
    mean(d) + defocus * mean(d |r|), d = D(fake) - D(real): the defocus adversarial loss (Zhai et
    al. 2023).
    """
    return (patch_weights(radius, fake, defocus) * (fake - real)).mean()


def adversarial_loss(fake: Tensor, radius: Tensor, defocus: float) -> Tensor:
    """Return the generator's loss, with patches weighted as in `discriminator_loss`."""
    return -(patch_weights(radius, fake, defocus) * fake).mean()


def patch_weights(radius: Tensor, scores: Tensor, defocus: float) -> Tensor:
    """Return (N, 1, h, w) weights of patches: 1 + defocus * (mean radius of the patch)."""
    return 1 + defocus * functional.adaptive_avg_pool2d(
        radius.abs(), (scores.shape[-2], scores.shape[-1])
    )
