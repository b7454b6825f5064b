"""Pictures whose slope encodes a radius, an estimator that reads it, and a mean of many pixels."""

import numpy as np
import torch
from torch import nn

from napari_defocus.networks.descriptor import Descriptor


class SlopeEstimator(nn.Module):
    """Reads the radius, up to 24 pixels, from a slope of 0.1 / radius per pixel, at any scale."""

    descriptor = Descriptor("single", receptive_radius=64, multiple=8)

    def forward(self, x):
        gray = x[:, :3].mean(1, keepdim=True)
        slope = nn.functional.pad(
            (gray[..., 1:] - gray[..., :-1]).abs(), (0, 1, 0, 0), mode="replicate"
        )
        mean = nn.functional.avg_pool2d(slope, 9, 1, 4, count_include_pad=False)
        radius = (0.1 / mean.clamp(min=1e-6)).clamp(max=24)
        return torch.cat([radius, torch.ones_like(radius)], 1)


def ramp(height, width, radius):
    """Return an image that rises and falls by 0.1 / radius per pixel."""
    x = np.arange(width, dtype=np.float32)
    wave = 0.2 + 0.6 * np.abs((x * 0.1 / radius / 0.6) % 2 - 1)
    return np.broadcast_to(wave.astype(np.float32), (3, height, width)).copy()


def mean_around(image):
    """Return the mean of the 41 x 41 pixels around each pixel, as far as they are in the image."""
    rows = nn.functional.avg_pool2d(image, (41, 1), 1, (20, 0), count_include_pad=False)
    return nn.functional.avg_pool2d(rows, (1, 41), 1, (0, 20), count_include_pad=False)
