"""Raw files, written as DNG: uncompressed, of one or more frames of RGGB values."""

import numpy as np
import tifffile
from scipy.ndimage import convolve, gaussian_filter

from napari_defocus import estimate_defocus
from napari_defocus.models import find_model, load_network
from napari_defocus.optics.kernels import disk, half_pupil, mirror
from training.data.random_lenses import TYPICAL_DISPARITY

BLACK, WHITE = 64, 16383
SHAPE = (64, 96)
#: XYZ to linear sRGB, so that the sensor's colors are the picture's.
MATRIX = [32406, -15372, -4986, -9689, 18758, 415, 557, -2040, 10570]


def counts(light):
    """Return the counts of a sensor for light in [0, 1]."""
    return np.rint(BLACK + np.clip(light, 0, 1) * (WHITE - BLACK)).astype(np.uint16)


def mosaic(red, green, blue):
    """Return the values of a sensor that sees one color, in [0, 1], everywhere."""
    light = np.empty(SHAPE)
    light[::2, ::2], light[1::2, 1::2] = red, blue
    light[::2, 1::2] = light[1::2, ::2] = green
    return counts(light)


def write_dng(path, *frames, orientation=1):
    camera_tags = [
        (50706, 1, 4, (1, 4, 0, 0), True),  # DNGVersion
        (50707, 1, 4, (1, 1, 0, 0), True),
        (50708, 2, 0, "Test Camera", True),
        (271, 2, 0, "Test", True),
        (272, 2, 0, "Camera", True),
        (274, 3, 1, orientation, True),
        (50721, 10, 9, tuple(n for value in MATRIX for n in (value, 10000)), True),  # ColorMatrix1
        (50728, 5, 3, (1, 1, 1, 1, 1, 1), True),  # AsShotNeutral
        (50778, 3, 1, 21, True),  # of daylight
    ]
    sensor = [
        (33421, 3, 2, (2, 2), True),  # CFARepeatPatternDim
        (33422, 1, 4, (0, 1, 1, 2), True),  # CFAPattern: RGGB
        (50714, 3, 1, BLACK, True),
        (50717, 3, 1, WHITE, True),
    ]
    cfa = {"photometric": "cfa", "metadata": None}
    with tifffile.TiffWriter(path) as writer:
        if len(frames) == 1:
            writer.write(frames[0], extratags=[*camera_tags, *sensor], **cfa)
            return
        preview = np.zeros((16, 24, 3), np.uint8)
        writer.write(
            preview, photometric="rgb", subfiletype=1, subifds=len(frames), extratags=camera_tags
        )
        for frame in frames:
            writer.write(frame, extratags=sensor, subfiletype=0, **cfa)


def write_halves(path, left, right, **options):
    """Write the values of a dual-pixel sensor: of both halves together, and of one."""
    write_dng(path, counts((left + right) / 2), counts(left / 2), **options)


def texture(shape=SHAPE):
    """Return gray detail everywhere, from 0.02 to 0.7."""
    noise = np.random.default_rng(0).standard_normal(shape)
    return np.clip(0.3 + 0.6 * gaussian_filter(noise, 1), 0.02, 0.7)


def _left_half(radius):
    """Return the left half's kernel of a radius behind the plane of focus."""
    return half_pupil(disk(abs(radius)), abs(radius) / 2)


def dual_pixel_halves(light, radius):
    """Return both halves' views of light that is out of focus by a signed radius."""
    left = _left_half(radius)
    kernels = (left, mirror(left)) if radius > 0 else (mirror(left), left)
    return [convolve(light, kernel.double().numpy()) for kernel in kernels]


def disparity_radius(radius):
    """Return the radius at which the networks' typical lens has that disparity."""
    left = _left_half(radius)
    half = left.shape[-1] // 2
    center = float((left.sum(-2).numpy() * np.arange(-half, half + 1)).sum())
    return np.sign(radius) * 2 * center / TYPICAL_DISPARITY


def from_disparity(views, **options):
    """Return upright radii of a bare network, which is not scaled to the lens."""
    network = load_network(find_model("auto", "dual"))
    both = views.left.data, views.right.data
    return views.upright(estimate_defocus(both[0], right=both[1], model=network, **options).radius)


def is_scaled(radius, bare):
    """Return whether radii are others times one positive factor, to a thousandth of a pixel."""
    factor = np.vdot(radius, bare) / np.vdot(bare, bare)
    return factor > 0 and np.allclose(radius, factor * bare, atol=1e-3)
