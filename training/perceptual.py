"""Perceptual loss: difference of two pictures in the features of a classification network."""

from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional

from training.errors import TrainingError
from training.lpips import Lpips

_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_VGG_CONVOLUTIONS = (0, 2, 5, 7, 10, 12, 14)
_VGG_POOLED_BEFORE = (5, 10)


class Vgg19Features(nn.Module):
    """Layers of VGG19 up to its third convolution at quarter size (relu3_3).

    Parameters
    ----------
    weights : Path
        Safetensors with torchvision's names (``features.0.weight``, ...).
    """

    def __init__(self, weights: Path) -> None:
        super().__init__()
        loaded = load_file(weights)
        for index in _VGG_CONVOLUTIONS:
            for part in ("weight", "bias"):
                value = loaded[f"features.{index}.{part}"]
                self.register_buffer(f"{part}_{index}", value, persistent=False)
        self.register_buffer("mean", torch.tensor(_MEAN)[:, None, None], persistent=False)
        self.register_buffer("deviation", torch.tensor(_DEVIATION)[:, None, None], persistent=False)

    def features(self, images: Tensor) -> list[Tensor]:
        """Return the one feature map (N, 256, H / 4, W / 4) of display-encoded images in [0, 1]."""
        x = (images - self.get_buffer("mean")) / self.get_buffer("deviation")
        for index in _VGG_CONVOLUTIONS:
            if index in _VGG_POOLED_BEFORE:
                x = functional.max_pool2d(x, 2)
            weight, bias = self.get_buffer(f"weight_{index}"), self.get_buffer(f"bias_{index}")
            x = functional.relu(functional.conv2d(x, weight, bias, padding=1))
        return [x]


def load_features(weights: Path) -> Lpips | Vgg19Features:
    """Load VGG19, or AlexNet or SqueezeNet as LPIPS ships them; tensors' names say which it is.

    Raises
    ------
    TrainingError
        If the file cannot be read or holds other weights.
    """
    try:
        names = load_file(weights).keys()
        lpips = "lin.0.weight" in names
        return Lpips(weights) if lpips else Vgg19Features(weights)
    except (OSError, KeyError, ValueError, RuntimeError, SafetensorError) as error:
        raise TrainingError(
            f"{weights} cannot be used for the perceptual loss: {error}; safetensors of VGG19, or "
            "of LPIPS' AlexNet or SqueezeNet are accepted"
        ) from error


def perceptual_loss(network: Lpips | Vgg19Features, image: Tensor, target: Tensor) -> Tensor:
    """Return the distance of LPIPS or, for VGG19, the mean squared difference of the features."""
    if isinstance(network, Lpips):
        return network.distance(image, target)
    with torch.no_grad():
        target_features = network.features(target)
    pairs = zip(network.features(image), target_features, strict=True)
    return torch.stack([functional.mse_loss(a, b) for a, b in pairs]).mean()
