"""Sources of the scenes that are scored."""

import numpy as np

from training.data.corpus import Corpus, photographs
from training.data.pool import write_pool
from training.data.renderer import Renderer, SceneOptions
from training.evaluation.scene_sources import rendered


def test_a_folder_of_photographs_gives_the_scenes_of_a_pool(data_folder, tmp_path):
    photos = data_folder / "photos"
    options = SceneOptions(max_radius=12, fluorescent_share=0)
    renderer = Renderer(Corpus(photographs(photos, held_out=True)), options)
    write_pool(tmp_path / "scenes.npy", renderer, count=1, seed=2_000_000, size=256)
    blurred, maps = next(rendered(photos))
    again, _ = next(rendered(tmp_path / "scenes.npy"))
    assert np.abs(blurred.blurred - again.blurred).max() < 2 / 255
    assert np.abs(blurred.radius - again.radius).max() < 0.01
    assert np.abs(maps.truth).max() <= 12
