"""Loading of names and heavy packages when they are first used, and not before."""

import pkgutil
import subprocess
import sys

import pytest

import napari_defocus
from napari_defocus.networks import ARCHITECTURES

from .model_files import save_untrained

HEAVY = {"torch", "napari", "npe2", "qtpy", "superqt", "magicgui", "PyQt6", "typer"} | {
    "PIL", "tifffile", "dask", "zarr", "scipy", "skimage",
}  # fmt: skip


def loaded_after(code):
    """Return which heavy modules a fresh Python has loaded after some code."""
    report = f"{code}\nimport sys; print(*set(sys.modules) & {HEAVY!r})"
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
        "from napari_defocus.models import *; [find_model(c.path, c.task) for c in list_models()]",
        "from napari_defocus import provenance, DefocusError, Canceled, Options",
        "from napari_defocus.inference.engine import Progress",
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
else:
    raise AssertionError("an image of one pixel was not refused")
"""
    assert "torch" not in loaded_after(code)


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


def test_every_public_name_is_loaded_from_the_package_when_first_used():
    assert {"estimate_defocus", "deblur", "reblur", "DefocusMap"} <= {*napari_defocus.__all__}
    assert {*napari_defocus.__all__} <= {*dir(napari_defocus)}
    for name in {*napari_defocus.__all__} - {"__version__"}:
        vars(napari_defocus).pop(name, None)
        value = getattr(napari_defocus, name)
        assert value.__name__ == name
        assert value.__module__.startswith("napari_defocus.")
        assert vars(napari_defocus)[name] is value


def test_no_public_name_is_that_of_a_module():
    modules = {module.name for module in pkgutil.iter_modules(napari_defocus.__path__)}
    assert "provenance_record" in modules
    assert not modules & {*napari_defocus.__all__}


def test_other_names_are_refused():
    with pytest.raises(AttributeError, match="no attribute 'sharpen'"):
        napari_defocus.sharpen  # noqa: B018
