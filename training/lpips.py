"""LPIPS v0.1 on AlexNet or SqueezeNet features, without torchvision."""

from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor
from torch.nn import functional

_SHIFT = torch.tensor([-0.030, -0.088, -0.188])[:, None, None]
_SCALE = torch.tensor([0.458, 0.448, 0.450])[:, None, None]
_FIRE_TAPS = (4, 7, 9, 10, 11, 12)
_POOLED_BEFORE = (3, 6, 9)


class Lpips:
    """Learned perceptual distance (Zhang et al. 2018).

    Parameters
    ----------
    weights : Path
        ``alex.safetensors`` or ``squeeze.safetensors``: features and linear heads.

    Notes
    -----
    SqueezeNet is told from AlexNet by its fire modules. Its taps are those of LPIPS v0.1: behind
    the first convolution and behind fire modules 4, 7, 9, 10, 11, 12.
    """

    def __init__(self, weights: Path) -> None:
        self._weights = load_file(weights)
        self._squeeze = any("squeeze" in key for key in self._weights)

    @torch.inference_mode()
    def __call__(self, image: Tensor, target: Tensor) -> float:
        """Distance of two display-encoded images (3, H, W) in [0, 1]."""
        pairs = zip(self.features(image), self.features(target), strict=True)
        total = torch.zeros(())
        for tap, (a, b) in enumerate(pairs):
            weight = self._weights[f"lin.{tap}.weight"][None, :, None, None]
            total += ((_unit(a) - _unit(b)) ** 2 * weight).sum(1).mean()
        return float(total)

    def features(self, image: Tensor) -> list[Tensor]:
        """Feature maps of one image (3, H, W) in [0, 1]."""
        x = ((2 * image - 1 - _SHIFT) / _SCALE)[None]
        return self._squeezenet(x) if self._squeeze else self._alexnet(x)

    def _conv(self, x: Tensor, name: str, stride: int = 1, padding: int = 0) -> Tensor:
        weight, bias = self._weights[f"{name}.weight"], self._weights[f"{name}.bias"]
        return functional.relu(functional.conv2d(x, weight, bias, stride, padding))

    def _alexnet(self, x: Tensor) -> list[Tensor]:
        taps = [self._conv(x, "features.0", 4, 2)]
        taps.append(self._conv(functional.max_pool2d(taps[-1], 3, 2), "features.3", 1, 2))
        taps.append(self._conv(functional.max_pool2d(taps[-1], 3, 2), "features.6", 1, 1))
        taps.append(self._conv(taps[-1], "features.8", 1, 1))
        taps.append(self._conv(taps[-1], "features.10", 1, 1))
        return taps

    def _squeezenet(self, x: Tensor) -> list[Tensor]:
        x = self._conv(x, "features.0", 2)
        taps = [x]
        for index in (3, 4, 6, 7, 9, 10, 11, 12):
            if index in _POOLED_BEFORE:
                x = functional.max_pool2d(x, 3, 2, ceil_mode=True)
            x = self._fire(x, f"features.{index}")
            if index in _FIRE_TAPS:
                taps.append(x)
        return taps

    def _fire(self, x: Tensor, name: str) -> Tensor:
        squeezed = self._conv(x, f"{name}.squeeze")
        one = self._conv(squeezed, f"{name}.expand1x1")
        three = self._conv(squeezed, f"{name}.expand3x3", padding=1)
        return torch.cat([one, three], 1)


def _unit(x: Tensor) -> Tensor:
    return x / (x.pow(2).sum(1, keepdim=True).sqrt() + 1e-10)
