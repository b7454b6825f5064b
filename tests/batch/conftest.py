"""Small networks and small pictures, and batches of them."""

import numpy as np
import pytest
import torch
from PIL import Image

from napari_defocus.batch.settings import Settings
from napari_defocus.deblur_settings import DeblurSettings
from napari_defocus.networks import build

from ..model_files import save_untrained

_SMALL = {
    "single-estimator": ("single", {"widths": [4, 4, 4], "blocks": [1, 1, 1, 1]}),
    "generator": ("deblur", {"width": 8, "blocks": [1, 1, 1, 1, 1]}),
}


@pytest.fixture(autouse=True)
def one_thread():
    """Use one thread: small networks gain nothing by more, and lose much on a busy machine."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def small_models(tmp_path_factory):
    """Return settings that name weights files of small untrained networks."""
    folder = tmp_path_factory.mktemp("models")
    torch.manual_seed(0)
    paths = {}
    for architecture, (task, arguments) in _SMALL.items():
        network = build(architecture, arguments)
        for parameter in network.parameters():
            torch.nn.init.normal_(parameter, std=0.05)
        card = save_untrained(folder, f"small-{task}", architecture, arguments, network)
        paths[task] = str(card.path)
    return {"model": paths["deblur"], "map_model": paths["single"], "protect_radius": 0.0}


@pytest.fixture
def settings(small_models):
    """Return a function that makes settings with the small networks."""

    def make(**changes):
        names = DeblurSettings.__dataclass_fields__.keys() & changes
        deblurring = {name: changes.pop(name) for name in names}
        return Settings(deblurring=DeblurSettings(**{**small_models, **deblurring}), **changes)

    return make


def picture(seed, shape=(24, 32, 3)):
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


@pytest.fixture
def photos(tmp_path):
    """A folder with three pictures, one of them in a folder within it, and a text file."""
    folder = tmp_path / "in"
    (folder / "deep er").mkdir(parents=True)
    for seed, name in enumerate(("a.png", "b.tif", "deep er/ü.jpg")):
        Image.fromarray(picture(seed)).save(folder / name)
    (folder / "notes.txt").write_text("none")
    return folder
