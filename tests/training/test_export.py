"""Export of a run's weights as a model of the plugin."""

import pytest
import torch

from napari_defocus.errors import ModelError
from napari_defocus.models import find_model, load_network
from napari_defocus.networks import build
from training.export import export
from training.save import save_network


def test_a_model_has_the_weights_of_its_run_and_the_arguments_of_the_plugin(tmp_path):
    run, models = tmp_path / "run", tmp_path / "models"
    run.mkdir()
    models.mkdir()
    network = build("generator", {"width": 8})
    save_network(run, "deblur", "generator", {"width": 8}, network, {"minutes": 1}, {"psnr": 30})
    card = export(run, "photo-faithful", models, figures={"DPDD": 26})
    assert card.arguments == {"width": 8, "caution": 0.7, "consistency": 0.5, "landweber": True}
    assert card.recipe == {"minutes": 1}
    assert card.figures == {"held-out rendered scenes": {"psnr": 30}, "DPDD": 26}
    exported = load_network(find_model(models / "photo-faithful.safetensors", "deblur"))
    assert exported.caution == 0.7
    for name, value in exported.state_dict().items():
        torch.testing.assert_close(value, network.state_dict()[name].half().float())


def test_a_run_without_weights_is_refused(tmp_path):
    with pytest.raises(ModelError, match="single"):
        export(tmp_path, "single", tmp_path / "models", figures={})
