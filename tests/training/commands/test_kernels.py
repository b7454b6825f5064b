"""Kernels can be planted, read and looked at."""

import numpy as np
from PIL import Image
from typer.testing import CliRunner

from training.__main__ import app


def test_planted_kernels_are_drawn(tmp_path):
    bank, picture = tmp_path / "planted.safetensors", tmp_path / "kernels.png"
    for arguments in (["plant-lens", bank, "--seed", 1], ["show-kernels", bank, picture]):
        result = CliRunner().invoke(app, [str(argument) for argument in arguments])
        assert result.exit_code == 0, result.output
    pixels = np.asarray(Image.open(picture))
    assert pixels.shape[2] == 3
    assert pixels.max() == 255
