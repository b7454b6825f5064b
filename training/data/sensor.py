"""Camera model, from linear light to a file: exposure, noise, tone curve, 8 bits, JPEG."""

import io
import math
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.nn import functional

from napari_defocus.optics.light import encode_srgb
from training.data.demosaic import DEMOSAICED, LAYOUTS, demosaic
from training.data.rng import SampleRNG
from training.data.scene import Scenes

#: Largest vertical distance of two views, in px.
_MAX_MISALIGNMENT = 2.0
#: Standard deviations in px by which cameras smooth.
_SMOOTHING_SIGMAS = (0.4, 2.0)
#: Contrast that veiling glare leaves, as a share of the scene's.
_VEIL_CONTRASTS = (0.06, 0.7)


@dataclass(frozen=True)
class SensorOptions:
    """Ranges of the degradations beside defocus.

    Attributes
    ----------
    shot, read : tuple of float
        Log-uniform ranges of the shot-noise gain (variance per unit of light) and of the read
        noise (standard deviation), where white is 1.
    photons : tuple of float
        Log-uniform range of how many photons are white in fluorescence.
    gray_share, bent_share, jpeg_share, mosaic_share : float
        Share of photographs turned gray, with a tone curve other than sRGB's, written as JPEG, and
        softened by demosaicing.
    raw_share : float
        Share of fluorescent pictures whose values are the light itself, not display-encoded.
    enlarged_share : float
        Share of finished pictures that are enlarged by up to 2.
    largest_radius : float
        Radius in px beyond which enlarging does not go.
    balance : float
        Largest ratio of one view's brightness to the other's.
    misaligned_share : float
        Share of photographs whose views are up to 2 px apart vertically.
    veiled_share : float
        Share of photographs under veiling glare, even light that leaves little contrast.
    blank_share : float
        Share of photographs of uniform light, whose radii cannot be estimated: NaN.
    smoothed_share : float
        Share of photographs that the camera has smoothed: their noise is soft, and weak.
    noise_kept : float
        Share of the photograph's own noise that is in the sharp picture too, so that networks do
        not learn to smooth fine texture away as noise.
    """

    shot: tuple[float, float] = (3e-6, 1.5e-3)
    read: tuple[float, float] = (2e-4, 8e-3)
    photons: tuple[float, float] = (20.0, 5000.0)
    gray_share: float = 0.12
    bent_share: float = 0.6
    jpeg_share: float = 0.15
    mosaic_share: float = 0.35
    raw_share: float = 0.3
    enlarged_share: float = 0.15
    largest_radius: float = 24.0
    balance: float = 1.05
    misaligned_share: float = 0.0
    veiled_share: float = 0.0
    blank_share: float = 0.0
    smoothed_share: float = 0.0
    noise_kept: float = 0.0

    def quieter(self, share: float) -> "SensorOptions":
        """Return these options with a share of their strongest noise."""
        shot, read = ((low, max(low, share * high)) for low, high in (self.shot, self.read))
        return replace(self, shot=shot, read=read)


@dataclass(frozen=True)
class Photographs:
    """Display-encoded pictures of a batch of scenes.

    Attributes
    ----------
    sharp, center, left, right : Tensor
        (N, 3, H, W) in [0, 1].
    radius : Tensor
        (N, 1, H, W) signed radius in px as in `Scenes`; NaN where it cannot be estimated.
    softness : Tensor or float
        (N, 1, 1, 1) radius in px of the disk whose mean square width is that of the blur by the
        camera's own processing.
    """

    sharp: Tensor
    center: Tensor
    left: Tensor
    right: Tensor
    radius: Tensor
    softness: Tensor | float = 0.0

    @property
    def blur(self) -> Tensor:
        """Radius in px, (N, 1, H, W), of the disk whose mean square width equals that of all blur.

        One picture shows all blur together; two views show defocus alone, as disparity.
        """
        return (self.radius**2 + self.softness**2).sqrt()


def photograph(
    scenes: Scenes, rng: SampleRNG, options: SensorOptions, *, views: bool
) -> Photographs:
    """Expose, add noise, display-encode.

    Parameters
    ----------
    scenes : Scenes
        N scenes.
    rng : SampleRNG
        N streams, on the device of the scenes.
    options : SensorOptions
        Ranges and shares of the degradations.
    views : bool
        Whether to take the two dual-pixel views too; otherwise both are the center picture.

    Returns
    -------
    Photographs
        Of the size of the scenes.
    """
    camera = _Camera.random(rng, options, scenes.fluorescent)
    contrast = _contrast(rng, options, scenes.fluorescent)
    scenes = _veil(scenes, contrast)
    if options.smoothed_share:
        soft = rng.bernoulli(options.smoothed_share) * rng.log_uniform(*_SMOOTHING_SIGMAS)
        camera = replace(camera, soft=soft)
    balance = rng.log_uniform(1 / options.balance, options.balance, 1, 1, 1)
    center, noise = camera.capture((scenes.left + scenes.right) / 2, 1.0, rng)
    sharp = camera.encode(camera.expose(scenes.sharp) + options.noise_kept * noise)
    if views:
        left, _ = camera.capture(scenes.left * balance, 2.0, rng)
        right, _ = camera.capture(_misalign(scenes.right, rng, options), 2.0, rng)
    else:
        left = right = center
    photos = Photographs(sharp, center, left, right, scenes.radius, camera.softness())
    photos = _enlarge(photos, rng, options)
    blank = (contrast == 0)[:, None, None, None]
    return replace(photos, radius=photos.radius.masked_fill(blank, torch.nan))


@dataclass(frozen=True)
class _Camera:
    """One camera for each sample; a field is (N, 1, 1, 1) unless said otherwise.

    `mosaic` says how its colors lie, as in `demosaic`, and is -1 where there is none. `contrast`
    and `gamma` bend the sRGB curve; where `raw`, light is shown as it is. `jpeg`, `quality`,
    `fluorescent` and `soft`, in px, are (N,).
    """

    gain: Tensor
    shot: Tensor
    read: Tensor
    photons: Tensor
    gray: Tensor
    mosaic: Tensor
    contrast: Tensor
    gamma: Tensor
    raw: Tensor
    eight_bit: Tensor
    jpeg: Tensor
    quality: Tensor
    fluorescent: Tensor
    soft: Tensor | None = None

    @classmethod
    def random(cls, rng: SampleRNG, options: SensorOptions, fluorescent: Tensor) -> "_Camera":
        is_fluorescent = fluorescent[:, None, None, None]
        bent = rng.bernoulli(options.bent_share, 1, 1, 1) & ~is_fluorescent
        gray = rng.bernoulli(options.gray_share, 1, 1, 1) | is_fluorescent
        return cls(
            gain=rng.log_uniform(0.55, 1.5, 1, 1, 1),
            shot=rng.log_uniform(*options.shot, 1, 1, 1),
            read=rng.log_uniform(*options.read, 1, 1, 1),
            photons=rng.log_uniform(*options.photons, 1, 1, 1),
            gray=gray,
            mosaic=_mosaic(rng, options.mosaic_share).masked_fill(gray, -1),
            contrast=torch.where(bent, rng.uniform(-0.3, 0.8, 1, 1, 1), 0),
            gamma=torch.where(bent, (0.12 * rng.normal(1, 1, 1)).exp(), 1),
            raw=rng.bernoulli(options.raw_share, 1, 1, 1) & is_fluorescent,
            eight_bit=rng.bernoulli(0.6, 1, 1, 1),
            jpeg=rng.bernoulli(options.jpeg_share) & ~fluorescent,
            quality=rng.integers(60, 97),
            fluorescent=fluorescent,
        )

    def softness(self) -> Tensor:
        """Return `Photographs.softness`, (N, 1, 1, 1), of demosaicing and smoothing."""
        squared = (self.mosaic >= 0) * DEMOSAICED**2
        return squared.sqrt() if self.soft is None else (squared + _disk(self.soft) ** 2).sqrt()

    def expose(self, light: Tensor) -> Tensor:
        """Return light where white is 1."""
        gray = light.mean(1, keepdim=True).expand_as(light)
        return torch.where(self.gray, gray, light) * self.gain

    def capture(self, light: Tensor, noise_gain: float, rng: SampleRNG) -> tuple[Tensor, Tensor]:
        """Return the display-encoded picture of light, and the noise in it as light.

        `noise_gain` is how much of the light a photosite lacks.
        """
        exposed = self.expose(light)
        noise = rng.noise(*exposed.shape[1:])
        noise = torch.where(self.gray, noise[:, :1], noise)
        spread = (noise_gain * self.shot * exposed).where(~self.fluorescent[:, None, None, None], 0)
        photon_light = self._count_photons(exposed, noise_gain, rng)
        noise = self._develop(noise * (spread + self.read**2).sqrt())
        display = self.encode(self._develop(photon_light) + noise)
        display = torch.where(self.eight_bit, (display * 255).round() / 255, display)
        return _jpeg(display, self.jpeg, self.quality), noise

    def _develop(self, light: Tensor) -> Tensor:
        """Return light as softened by demosaicing and by the camera."""
        soft = demosaic(light, self.mosaic.flatten())
        light = torch.where(self.mosaic >= 0, soft, light)
        return light if self.soft is None else _smooth(light, self.soft)

    def encode(self, exposed: Tensor) -> Tensor:
        """Return display-encoded light, clipped."""
        light = exposed.clamp(0, 1)
        display = encode_srgb(light).clamp(1e-6, 1) ** self.gamma
        display = display + self.contrast * display * (1 - display) * (2 * display - 1)
        return torch.where(self.raw, light, display)

    def _count_photons(self, exposed: Tensor, noise_gain: float, rng: SampleRNG) -> Tensor:
        """Return light of fluorescent scenes as whole photons; of others, as it is."""
        if not self.fluorescent.any():
            return exposed
        white = self.photons[self.fluorescent] / noise_gain
        counts = rng.select(self.fluorescent).poisson(exposed[self.fluorescent, :1] * white)
        result = exposed.clone()
        result[self.fluorescent] = (counts / white).expand(-1, 3, -1, -1)
        return result


def _mosaic(rng: SampleRNG, share: float) -> Tensor:
    """Draw the layout of a mosaic, (N, 1, 1, 1), in a share of cases; else -1."""
    drawn = rng.uniform(0, 1, 1, 1, 1)
    return torch.where(drawn < share, (LAYOUTS * drawn / share).long(), -1)


def _contrast(rng: SampleRNG, options: SensorOptions, fluorescent: Tensor) -> Tensor:
    """Draw the contrast that glare leaves each scene, (N,) in [0, 1]; 0 where it is blank."""
    contrast = torch.ones_like(fluorescent, dtype=torch.float32)
    if options.veiled_share:
        veiled = rng.bernoulli(options.veiled_share) & ~fluorescent
        contrast = torch.where(veiled, rng.log_uniform(*_VEIL_CONTRASTS), 1)
    if options.blank_share:
        contrast = contrast.masked_fill(rng.bernoulli(options.blank_share), 0)
    return contrast


def _veil(scenes: Scenes, contrast: Tensor) -> Scenes:
    """Reduce the contrast of scenes to a share (N,) in [0, 1]."""
    mean = scenes.sharp.mean((2, 3), keepdim=True)
    sharp, left, right = (
        torch.lerp(mean, light, contrast[:, None, None, None])
        for light in (scenes.sharp, scenes.left, scenes.right)
    )
    return Scenes(sharp, left, right, scenes.radius, scenes.fluorescent)


def _smooth(light: Tensor, deviation: Tensor) -> Tensor:
    """Convolve each picture (N, C, H, W) with a Gaussian of its standard deviation in px."""
    reach = math.ceil(3 * _SMOOTHING_SIGMAS[1])
    steps = torch.arange(-reach, reach + 1, device=light.device)
    taps = torch.exp(-0.5 * (steps / deviation.clamp(min=0.01)[:, None]) ** 2)
    taps = (taps / taps.sum(1, keepdim=True)).repeat_interleave(light.shape[1], 0)[:, None]
    planes = light.flatten(0, 1)[None]
    for kernel, margin in (
        (taps[..., None], (0, 0, reach, reach)),
        (taps[:, :, None], (reach, reach, 0, 0)),
    ):
        planes = functional.conv2d(
            functional.pad(planes, margin, mode="replicate"), kernel, groups=len(kernel)
        )
    return planes[0].view_as(light)


def _misalign(view: Tensor, rng: SampleRNG, options: SensorOptions) -> Tensor:
    """Move a share of the views vertically, with the edge continued."""
    if not options.misaligned_share:
        return view
    apart = rng.bernoulli(options.misaligned_share) * rng.uniform(
        -_MAX_MISALIGNMENT, _MAX_MISALIGNMENT
    )
    place = torch.eye(2, 3, device=view.device).repeat(len(view), 1, 1)
    place[:, 1, 2] = 2 * apart / view.shape[-2]
    grid = functional.affine_grid(place, list(view.shape), align_corners=False)
    return functional.grid_sample(view, grid, padding_mode="border", align_corners=False)


def _disk(deviation: Tensor) -> Tensor:
    """Return radii in px, (N, 1, 1, 1), of the disks of the same variance as Gaussians (N,)."""
    return 2 * deviation[:, None, None, None]


def _enlarge(photos: Photographs, rng: SampleRNG, options: SensorOptions) -> Photographs:
    """Enlarge the middle of some pictures to full size, with their radius and softness."""
    largest = photos.radius.abs().amax((1, 2, 3)).clamp(min=0.1)
    scale = rng.uniform(1, 2).minimum(options.largest_radius / largest).clamp(min=1)
    enlarged = rng.bernoulli(options.enlarged_share)
    chosen = enlarged.nonzero().flatten()
    if not len(chosen):
        return photos
    near = torch.eye(2, 3, device=largest.device) / scale[chosen, None, None]

    def resample(images: Tensor, mode: str = "bilinear") -> Tensor:
        grid = functional.affine_grid(near, [len(near), *images.shape[1:]], align_corners=False)
        result = images.clone()
        result[chosen] = functional.grid_sample(
            images[chosen], grid, mode, padding_mode="border", align_corners=False
        )
        return result

    pictures = torch.cat([photos.sharp, photos.center, photos.left, photos.right], 1)
    radius = resample(photos.radius, "nearest")
    growth = torch.where(enlarged, scale, 1)[:, None, None, None]
    sharp, center, left, right = resample(pictures).split(3, 1)
    return Photographs(sharp, center, left, right, radius * growth, photos.softness * growth)


def _jpeg(display: Tensor, chosen: Tensor, quality: Tensor) -> Tensor:
    """Pass the chosen pictures through a JPEG file."""
    index = chosen.nonzero().flatten()
    if not len(index):
        return display
    pixels = (display[index] * 255).round().byte().permute(0, 2, 3, 1).cpu().numpy()
    decoded = np.stack(list(map(_recompress, pixels, quality[index].tolist())))
    result = display.clone()
    result[index] = torch.from_numpy(decoded).to(display).permute(0, 3, 1, 2) / 255
    return result


def _recompress(pixels: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    """Pass (H, W, 3) uint8 through a JPEG file."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=quality)
    return np.array(Image.open(buffer))
