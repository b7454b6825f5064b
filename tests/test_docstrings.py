"""Docstrings of public names: sections, and every parameter described."""

import inspect
import re

import pytest

import napari_defocus

NAMES = sorted({*napari_defocus.__all__} - {"__version__"})


def documented_parameters(docstring):
    """Return the names that a docstring's section Parameters lists."""
    section = re.search(
        r"^Parameters\n-+\n(.*?)(?:\n\n\w[\w ]*\n---|\Z)", docstring, re.DOTALL | re.M
    )
    lines = section.group(1).splitlines() if section else []
    heads = [line.partition(" :")[0] for line in lines if line and not line.startswith(" ")]
    return {name for head in heads for name in head.split(", ")}


@pytest.mark.parametrize("name", NAMES)
def test_public_names_have_every_section(name):
    value = getattr(napari_defocus, name)
    docstring = inspect.getdoc(value)
    is_error = inspect.isclass(value) and issubclass(value, Exception)
    sections = {"See Also", "Examples"} if is_error else {"See Also", "Examples", "Notes"}
    if inspect.isfunction(value):
        sections |= {"Returns", "Raises"}
    assert sections <= {*re.findall(r"^(\w[\w ]*)\n---", docstring, re.MULTILINE)}
    if not is_error:
        assert documented_parameters(docstring) == {*inspect.signature(value).parameters}
