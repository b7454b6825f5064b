"""Discriminator that scores patches of a picture, and its gradient penalty."""

from itertools import pairwise

import torch
from torch import Tensor, nn


class PatchDiscriminator(nn.Module):
    """PatchGAN: 4x4 convolutions of 1, 2, 4 and 8 times `width` channels to one score a patch.

    Parameters
    ----------
    width : int
        Channels of the first convolution; 64 as published.

    Notes
    -----
    Isola et al., "Image-to-Image Translation with Conditional Adversarial Networks" (2017), with
    instance normalization and without a sigmoid: scores are those of a Wasserstein critic.
    """

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        channels = [3, width, 2 * width, 4 * width, 8 * width]
        layers: list[nn.Module] = []
        for depth, (before, after) in enumerate(pairwise(channels)):
            stride = 2 if depth < 3 else 1
            # the normalization would subtract a bias
            layers.append(nn.Conv2d(before, after, 4, stride, padding=1, bias=not depth))
            if depth:
                layers.append(nn.InstanceNorm2d(after, affine=True))
            layers.append(nn.LeakyReLU(0.2))
        layers.append(nn.Conv2d(channels[-1], 1, 4, 1, padding=1))
        self.layers = nn.Sequential(*layers)

    def forward(self, image: Tensor) -> Tensor:
        """Score patches of (N, 3, H, W) display-encoded images: (N, 1, about H/8, about W/8)."""
        scores: Tensor = self.layers(image - 0.5)
        return scores.float()


def gradient_penalty(discriminator: nn.Module, real: Tensor, fake: Tensor, share: Tensor) -> Tensor:
    """Return the mean over samples of (|gradient| - 1)^2 between real and fake pictures.

    Parameters
    ----------
    discriminator : nn.Module
        The discriminator.
    real, fake : Tensor
        (N, 3, H, W).
    share : Tensor
        (N, 1, 1, 1) in [0, 1]: the share of `real` in the mixture at which each sample's gradient
        is taken.

    Notes
    -----
    Gulrajani et al., "Improved Training of Wasserstein GANs" (2017); each sample has its own norm.
    """
    mixture = (share * real + (1 - share) * fake).detach().requires_grad_()
    with torch.autocast(real.device.type, enabled=False):
        score = discriminator(mixture).mean((1, 2, 3)).sum()
        (gradient,) = torch.autograd.grad(score, mixture, create_graph=True)
    norm: Tensor = gradient.flatten(1).norm(dim=1)
    return ((norm - 1) ** 2).mean()
