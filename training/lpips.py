"""LPIPS v0.1 on AlexNet or SqueezeNet features, without torchvision."""

from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional

_SHIFT = (-0.030, -0.088, -0.188)
_SCALE = (0.458, 0.448, 0.450)
_FIRES = (3, 4, 6, 7, 9, 10, 11, 12)
_FIRE_TAPS = (4, 7, 9, 10, 11, 12)
_POOLED_BEFORE = (3, 6, 9)


class Lpips(nn.Module):
    """Learned perceptual distance (Zhang et al. 2018), and the features that it compares.

    The weights are buffers: `to` moves them, but no optimizer changes and no checkpoint keeps them.

    Parameters
    ----------
    weights : Path
        ``alex.safetensors`` or ``squeeze.safetensors``: features and linear heads.

    Notes
    -----
    Fire modules in the file mean SqueezeNet, otherwise it is AlexNet. SqueezeNet's features are
    taken as in LPIPS v0.1: behind the first convolution and fire modules 4, 7, 9, 10, 11, 12.
    """

    def __init__(self, weights: Path) -> None:
        super().__init__()
        loaded = load_file(weights)
        for key, value in loaded.items():
            self.register_buffer(_buffer_name(key), value, persistent=False)
        self.register_buffer("_shift", _channels(_SHIFT), persistent=False)
        self.register_buffer("_scale", _channels(_SCALE), persistent=False)
        self._squeeze = any("squeeze" in key for key in loaded)

    @torch.no_grad()
    def forward(self, image: Tensor, target: Tensor) -> float:
        """Return the distance of two display-encoded images (3, H, W) in [0, 1], as a number."""
        return self.distance(image[None], target[None]).item()

    def distance(self, images: Tensor, targets: Tensor) -> Tensor:
        """Return the mean distance of images (N, 3, H, W) from targets, which get no gradient."""
        with torch.no_grad():
            target_features = self.features(targets)
        distances = []
        for tap, (a, b) in enumerate(zip(self.features(images), target_features, strict=True)):
            head = self._weight(f"lin.{tap}.weight")[:, None, None]
            squares = (functional.normalize(a) - functional.normalize(b)).square()
            distances.append((squares * head).sum(1).mean())
        return torch.stack(distances).sum()

    def features(self, images: Tensor) -> list[Tensor]:
        """Return the feature maps that the distance compares, finest first; differentiable.

        Parameters
        ----------
        images : Tensor
            (N, 3, H, W) display-encoded in [0, 1], on the device of the weights; H and W at least
            31 px.

        Returns
        -------
        list of Tensor
            (N, C, h, w), 5 of AlexNet, 7 of SqueezeNet.
        """
        x = (2 * images - 1 - self.get_buffer("_shift")) / self.get_buffer("_scale")
        return self._squeezenet(x) if self._squeeze else self._alexnet(x)

    def _weight(self, key: str) -> Tensor:
        return self.get_buffer(_buffer_name(key))

    def _conv(self, x: Tensor, name: str, stride: int = 1, padding: int = 0) -> Tensor:
        weight, bias = self._weight(f"{name}.weight"), self._weight(f"{name}.bias")
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
        for index in _FIRES:
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


def _buffer_name(key: str) -> str:
    """Return a buffer's name for a key of the file: without dots, which torch forbids."""
    return key.replace(".", "_")


def _channels(values: tuple[float, ...]) -> Tensor:
    return torch.tensor(values)[:, None, None]
