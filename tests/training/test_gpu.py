"""Training in one command, without the packages that a machine with a GPU may lack."""

import json
import subprocess
import sys

import pytest
from PIL import Image
from skimage.data import astronaut

from napari_defocus.models import find_model, load_network
from training.data.photo_pack import write_photo_pack
from training.errors import TrainingError
from training.gpu import main

BARE = """
import sys
LACKING = {"napari", "npe2", "qtpy", "magicgui", "pydantic", "tyro"}
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in LACKING:
            raise ImportError(name)
sys.meta_path.insert(0, Finder())
import training.gpu
"""


@pytest.fixture
def pack(tmp_path):
    for name in ("training", "held-out"):
        (tmp_path / name).mkdir()
        Image.fromarray(astronaut()).save(tmp_path / name / "astronaut.jpg", quality=90)
    return tmp_path


@pytest.mark.slow
def test_it_needs_neither_napari_nor_tyro():
    subprocess.run([sys.executable, "-c", BARE], check=True)


def test_one_command_renders_trains_and_writes_weights(pack, tmp_path):
    preset, run = tmp_path / "preset.json", tmp_path / "run"
    gan = {"architecture": "unrolled-generator", "width": 8, "reversal_weight": 1.0}
    preset.write_text(json.dumps({"gan": gan, "data": {"crop": 32}}), encoding="utf-8")
    sizes = {"scenes": 2, "held-out": 1, "size": 48, "batch": 2, "workers": 1, "minutes": 0.02}
    words = [str(word) for name, value in sizes.items() for word in (f"--{name}", value)]
    main([str(run), "--pack", str(pack), "--config", str(preset), *words])
    network = load_network(find_model(run / "deblur.safetensors", "deblur"))
    assert network.steps == 2
    assert (run / "deblur.safetensors").stat().st_size < 2.5 * sum(
        p.numel() for p in network.parameters()
    )
    record = json.loads((run / "log.jsonl").read_text(encoding="utf-8").splitlines()[-1])
    assert {"generator/total", "generator/reversal", "psnr", "psnr_in"} <= set(record)


def test_a_folder_that_is_no_pack_is_an_error(tmp_path, capsys):
    with pytest.raises(SystemExit, match="2"):
        main([str(tmp_path / "run"), "--pack", str(tmp_path)])
    assert "a pack is expected" in capsys.readouterr().err


def test_a_pack_holds_photographs_within_its_size(tmp_path):
    photos = tmp_path / "photos"
    photos.mkdir()
    Image.fromarray(astronaut()).save(photos / "a.png")
    assert write_photo_pack(tmp_path / "pack", [photos], 1.0) == 95
    quality = write_photo_pack(tmp_path / "small", [photos], 0.08)
    assert quality < 95
    [file] = (tmp_path / "small" / "training").iterdir()
    assert file.stat().st_size <= 80_000
    with pytest.raises(TrainingError, match="give --megabytes"):
        write_photo_pack(tmp_path / "none", [photos], 0.001)
