"""Kernels from the files that training writes."""

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from napari_defocus import FileError, provenance, refocus
from napari_defocus.io.pupil_file import find_pupil
from napari_defocus.jobs import RefocusJob
from napari_defocus.optics.bank import KernelBank


@pytest.fixture
def file(tmp_path):
    save_file(KernelBank(6).state_dict(), tmp_path / "lens.safetensors")
    return tmp_path / "lens.safetensors"


@pytest.mark.parametrize("kind", [str, lambda path: path])
def test_kernels_are_those_of_the_whole_pupil(file, kind):
    kernel = find_pupil(kind(file)).kernel(-5.0)
    torch.testing.assert_close(kernel, KernelBank(6).center()[5].detach())


def test_provenance_names_the_file_and_its_kernels(file):
    image, radius = np.zeros((24, 24), np.uint8), np.full((24, 24), 2.0)
    parameters = provenance(RefocusJob(image, radius, pupil=file))["parameters"]
    assert parameters["pupil"]["file"] == str(file)
    assert parameters["pupil"]["kernels"].startswith("sha256:")
    named = provenance(RefocusJob(image, radius, pupil="ring:0.5"))["parameters"]
    assert named["pupil"] == "ring:0.5"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "cannot be read"),
        (b"", "holds no kernels; a file that `python -m training lbk`"),
        (b"\x08\0\0\0\0\0\0\0{}      ", "holds no kernels"),
    ],
)
def test_files_of_something_else_are_refused(tmp_path, content, words):
    path = tmp_path / "lens.safetensors"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(FileError, match=words):
        refocus(np.zeros((8, 8), np.uint8), np.ones((8, 8)), focus=0, aperture=1, pupil=path)


def test_weights_of_another_size_are_refused(tmp_path):
    path = tmp_path / "lens.safetensors"
    for scores in (torch.zeros(1000), torch.zeros(5, 9, 9), torch.full((3, 7, 7), torch.nan)):
        save_file({"scores": scores}, path)
        with pytest.raises(ValueError, match=r"holds no kernels|not finite"):
            find_pupil(path)
