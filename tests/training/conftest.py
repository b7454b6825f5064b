"""Small corpora and pools, rendered from the photographs of scikit-image."""

import pytest
import torch
from PIL import Image
from skimage.data import astronaut, chelsea, coffee

from training.data.corpus import Corpus
from training.data.pool import Pool, write_pool
from training.data.renderer import Renderer, SceneOptions
from training.engine.launch import launch


@pytest.fixture(scope="session")
def fabric():
    return launch("32-true")


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """Use one thread, so that results do not depend on the machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def options():
    return SceneOptions(layers=2, min_radius=1.0, max_radius=6.0)


@pytest.fixture(scope="session")
def photo_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photos")
    for name, image in [("a", astronaut()), ("b", chelsea()), ("c", coffee())]:
        Image.fromarray(image).save(folder / f"{name}.png")
    return folder


@pytest.fixture(scope="session")
def corpus(photo_folder):
    return Corpus(sorted(photo_folder.iterdir()))


@pytest.fixture(scope="session")
def renderer(corpus, options):
    return Renderer(corpus, options)


@pytest.fixture(scope="session")
def pool_file(renderer, tmp_path_factory):
    path = tmp_path_factory.mktemp("pool") / "scenes.npy"
    write_pool(path, renderer, count=16, seed=1, size=64)
    return path


@pytest.fixture
def pool(pool_file):
    return Pool(pool_file)


@pytest.fixture(scope="session")
def lpips_folder(data_folder):
    folder = data_folder.parent / "models" / "lpips"
    if not folder.is_dir():
        pytest.skip(f"no LPIPS weights: {folder} is not a folder")
    return folder
