"""Pictures of batches."""

from dataclasses import replace

import torch

from training.data.batch_picture import batch_picture
from training.data.rng import SampleRNG
from training.data.sensor import SensorOptions, photograph


def test_every_sample_is_a_row(pool):
    rng = SampleRNG.from_key(0, samples=range(3))
    photos = photograph(pool.scenes(0, 3), rng, SensorOptions(), views=True)
    picture = batch_picture(photos, width=40)
    single = batch_picture(photograph(pool.scenes(0, 1), rng.select(torch.arange(3) == 0),
                                      SensorOptions(), views=True), width=40)  # fmt: skip
    assert picture.shape == (3 * single.shape[0], single.shape[1], 3)
    assert len(set(picture.reshape(-1, 3)[:, 0].tolist())) > 20


def test_an_unknown_radius_is_gray(pool):
    photos = photograph(
        pool.scenes(0, 1), SampleRNG.from_key(0, samples=[0]), SensorOptions(), views=True
    )
    unknown = replace(photos, radius=torch.full_like(photos.radius, torch.nan))
    picture = batch_picture(unknown, width=40)
    assert picture[45, -30].tolist() == [128, 128, 128]
