"""Construction of trainings from their options and seed."""

from dataclasses import replace

import pytest
import torch

from napari_defocus.models import find_model, load_network
from training.data.rng import SampleRNG
from training.engine.launch import launch
from training.errors import TrainingError
from training.recipes import (
    DataOptions,
    EstimatorConfig,
    GanConfig,
    estimator_training,
    gan_training,
)
from training.trainings.gan import GanOptions


@pytest.fixture(scope="session")
def fabric():
    return launch("32-true")


@pytest.fixture
def data(pool_file):
    return DataOptions(pool=pool_file, validation=pool_file, validate_on=2, crop=32)


def test_with_a_teacher_held_out_scenes_have_both_views(data, fabric):
    config = EstimatorConfig(data=data, teacher="dual-pixel")
    photos = estimator_training(config, fabric, dual=False).held_out()[0]
    assert not torch.equal(photos.left, photos.right)


def test_a_folder_of_pools_yields_the_scenes_of_its_file(data, fabric, pool_file):
    config = EstimatorConfig(data=replace(data, pool=pool_file.parent))
    from_folder, from_file = (
        estimator_training(c, fabric, dual=False).sampler(SampleRNG.from_key(3, samples=range(2)))
        for c in (config, EstimatorConfig(data=data))
    )
    assert torch.equal(from_folder.center, from_file.center)


def test_a_folder_without_pools_is_named(data, fabric, tmp_path):
    config = EstimatorConfig(data=replace(data, pool=tmp_path))
    with pytest.raises(TrainingError, match=r"holds no pool of scenes \(\.npy\)"):
        estimator_training(config, fabric, dual=False)


def test_real_pairs_need_a_teacher(data, fabric, tmp_path):
    config = EstimatorConfig(data=replace(data, pool=None, pairs=tmp_path))
    with pytest.raises(TrainingError, match="no radii to learn: give --teacher"):
        estimator_training(config, fabric, dual=True)


def test_training_starts_from_the_weights_of_a_model(data, fabric):
    config = GanConfig(data=data, start="photo-faithful")
    shipped = load_network(find_model("photo-faithful", "deblur")).state_dict()
    start = gan_training(config, fabric).generator.state_dict()
    assert all(torch.equal(start[name], value) for name, value in shipped.items())


@pytest.mark.parametrize(("name", "task"), [("single", "single"), ("dual-pixel", "dual")])
def test_estimators_start_from_the_weights_of_a_model(data, fabric, name, task):
    config = EstimatorConfig(data=data, start=name)
    training = estimator_training(config, fabric, dual=task == "dual")
    card, weights = find_model(name, task), training.network.state_dict()
    assert training.arguments == card.arguments
    for part, value in load_network(card).state_dict().items():
        assert torch.equal(weights[part], value)


def test_weights_of_another_width_are_refused(data, fabric):
    config = GanConfig(data=data, gan=GanOptions(width=8), start="photo-faithful")
    with pytest.raises(TrainingError, match="photo-faithful has another architecture or width"):
        gan_training(config, fabric)


def test_the_first_weights_do_not_depend_on_models_loaded_before(data, fabric, tmp_path):
    fresh = tmp_path / "fresh.safetensors"
    fresh.write_bytes(find_model("single", "single").path.read_bytes())
    first_weights = []
    for _ in range(2):  # the second time, the model is in memory already
        torch.manual_seed(0)
        generator = gan_training(GanConfig(data=data, guide=str(fresh)), fabric).generator
        first_weights.append(torch.cat([p.detach().flatten() for p in generator.parameters()]))
    assert torch.equal(*first_weights)
