"""Names are loaded when first used, and not before."""

import subprocess
import sys

import pytest

import napari_defocus
from napari_defocus.networks import ARCHITECTURES

from .model_files import save_untrained

HEAVY = {"torch", "qtpy", "napari", "dask", "tifffile", "PIL"}


def loaded_after(code):
    """Return which heavy modules a fresh Python has loaded after some code."""
    report = f"{code}; import sys; print(*sorted(set(sys.modules) & {HEAVY!r}))"
    done = subprocess.run(
        [sys.executable, "-c", report], check=True, capture_output=True, text=True
    )
    return set(done.stdout.split())


@pytest.mark.parametrize(
    "code",
    [
        "import napari_defocus",
        "import napari_defocus.api",
        "from napari_defocus import deblur, estimate_defocus, reblur, refocus, DefocusMap",
        "from napari_defocus import list_models; list_models()",
        "from napari_defocus import provenance, DefocusError, Cancelled",
        "from napari_defocus.inference.engine import Options, Progress",
        "import napari_defocus, numpy; dir(napari_defocus)",
    ],
)
def test_nothing_heavy_is_loaded(code):
    assert loaded_after(code) == set()


def test_bad_input_is_refused_without_torch():
    code = """
import numpy, napari_defocus
try:
    napari_defocus.deblur(numpy.zeros((1, 1)))
except napari_defocus.ImageError:
    pass
"""
    loaded = loaded_after(f"exec({code!r})")
    assert "torch" not in loaded


def test_weights_from_anywhere_are_loaded_without_torchs_compiler(tmp_path):
    cards = []
    for architecture in ARCHITECTURES:
        arguments = {"width": 8} if "generator" in architecture else {}
        card = save_untrained(tmp_path, architecture, architecture, arguments)
        cards.append((str(card.path), card.task))
    code = f"""
import sys
from napari_defocus.models import find_model, load_network
for path, task in {cards!r}:
    load_network(find_model(path, task))
    assert "torch._dynamo" not in sys.modules, path
"""
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("name", napari_defocus.__all__)
def test_every_name_is_there(name):
    assert getattr(napari_defocus, name) is getattr(napari_defocus, name)
    assert name in dir(napari_defocus)


def test_other_names_are_not():
    with pytest.raises(AttributeError, match="no attribute 'sharpen'"):
        napari_defocus.sharpen  # noqa: B018
