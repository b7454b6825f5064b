"""Command that draws kernels, and the file that it reads."""

import numpy as np
import pytest
from PIL import Image

from napari_defocus.errors import FileError
from training.__main__ import run
from training.data.lenses import read_bank


def test_reference_kernels_are_drawn(tmp_path):
    bank, picture = tmp_path / "reference.safetensors", tmp_path / "kernels.png"
    for arguments in (["reference-lens", bank, "--seed", 1], ["show-kernels", bank, picture]):
        run([str(argument) for argument in arguments])
    pixels = np.asarray(Image.open(picture))
    assert pixels.shape[2] == 3
    assert pixels.max() == 255


@pytest.mark.parametrize("content", [b"", b"no kernels in here"])
def test_a_file_without_kernels_is_refused(tmp_path, content):
    path = tmp_path / "kernels.safetensors"
    path.write_bytes(content)
    with pytest.raises(FileError, match="holds no kernels"):
        read_bank(path)
