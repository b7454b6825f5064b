"""Changes of micrographs that their image does not support are held back."""

import numpy as np
import pytest
import torch
from scipy.signal import fftconvolve

from napari_defocus import deblur
from napari_defocus.evidence.photon_noise import PhotonNoise
from napari_defocus.image.encoding import decode, encode
from napari_defocus.inference.tiles import Box
from napari_defocus.optics.kernels import disk
from napari_defocus.pipeline.consistency import SupportedChange, hold_back

NOISE = PhotonNoise(1e-5, 1e-3)


def tensor(plane):
    return torch.from_numpy(np.asarray(plane, np.float32))[None, None]


@pytest.fixture
def sharp():
    plane = np.full((64, 64), 0.1, np.float32)
    plane[20:44, 20:44] = 0.6
    return plane


@pytest.fixture
def blurred(sharp):
    padded = np.pad(sharp, 8, mode="edge")
    return fftconvolve(padded, disk(3.0).numpy(), mode="same")[8:-8, 8:-8].astype(np.float32)


def test_what_blurs_to_the_image_stays(sharp, blurred):
    radius = torch.full((1, 1, 64, 64), 3.0)
    held = hold_back(tensor(blurred), tensor(sharp), radius, NOISE)
    assert held[0, 0].numpy() == pytest.approx(sharp, abs=1e-3)


def test_what_blur_does_not_explain_is_taken_back(sharp, blurred):
    radius = torch.full((1, 1, 64, 64), 3.0)
    invented = sharp.copy()
    invented[5:11, 50:56] = 1.0
    held = hold_back(tensor(blurred), tensor(invented), radius, NOISE)[0, 0].numpy()
    assert held[7:9, 52:54].max() < 0.2
    assert held[30:34, 22:42] == pytest.approx(sharp[30:34, 22:42], abs=1e-3)


def test_blocks_give_what_the_whole_plane_gives(sharp, blurred):
    image = encode(blurred)[None]
    change = np.repeat(encode(sharp)[None] - image, 3, axis=0)
    estimate = np.stack([np.full((64, 64), 3.0), np.ones((64, 64))]).astype(np.float32)
    supported = SupportedChange(image, estimate, change)
    whole = supported.at(Box(0, 0, 64, 64))
    parts = [supported.at(Box(0, left, 64, left + 32)) for left in (0, 32)]
    assert np.concatenate(parts, axis=2) == pytest.approx(whole, abs=1e-4)
    assert not supported.at(Box(0, 0, 64, 64))[:, (change == 0).all(0)].any()


def test_even_ground_stays_as_even_as_the_network_made_it(sharp, blurred):
    noisy = np.random.default_rng(0).poisson(500 * blurred).astype(np.float32) / 500
    image = encode(noisy)[None]
    change = np.repeat(encode(sharp)[None] - image, 3, axis=0)
    estimate = np.stack([np.full((64, 64), 4.0), np.ones((64, 64))]).astype(np.float32)
    restored = decode(image + SupportedChange(image, estimate, change).at(Box(0, 0, 64, 64)))[0]
    assert np.abs(restored - sharp)[22:42, 22:42].max() > 0.02  # steps were made
    assert restored[:8, :8] == pytest.approx(sharp[:8, :8], abs=2e-3)


def test_points_sharper_than_the_map_says_keep_their_light():
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:96, :96]
    light = np.full((96, 96), 30.0)
    places = [(20.3, 30.6), (50.8, 70.1), (75.5, 22.2)]
    for row, column in places:
        light += 600 * np.exp(-0.5 * ((y - row) ** 2 + (x - column) ** 2) / 0.5**2)
    counts = (100 + rng.poisson(light)).astype(np.float32)
    result = deblur(counts, np.full(counts.shape, 0.9), protect_radius=0)
    for row, column in places:
        window = np.s_[round(row) - 3 : round(row) + 4, round(column) - 3 : round(column) + 4]
        before, after = ((image[window] - 130).sum() for image in (counts, result))
        assert after == pytest.approx(before, rel=0.06)
