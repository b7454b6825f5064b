"""Docstrings as the site shows them: griffe extension.

Defaults that a dataclass makes anew stand in signatures as the call that makes them, and the
entries of *See Also* become a list of links.
"""

import re
from typing import Any

import griffe

_SEE_ALSO = re.compile(r"^See Also\n-+\n(.*?)(?=\n\n|\Z)", re.MULTILINE | re.DOTALL)
_ENTRY = re.compile(r"^([\w.]+) : ", re.MULTILINE)


class Docstrings(griffe.Extension):
    """Extension that mkdocs.yml names."""

    def on_instance(self, *, obj: griffe.Object, **more: Any) -> None:
        """List what an object's docstring refers to."""
        if obj.docstring is not None:
            obj.docstring.value = _SEE_ALSO.sub(_list_links, obj.docstring.value)

    def on_function_instance(self, *, func: griffe.Function, **more: Any) -> None:
        """Write defaults of dataclasses as calls."""
        for parameter in func.parameters:
            if str(parameter.default) == "<factory>":
                parameter.default = f"{parameter.annotation}()"


def _list_links(section: re.Match[str]) -> str:
    listed = _ENTRY.sub(r"- :func:`~napari_defocus.\1` : ", section[1])
    return f"See Also\n--------\n{listed}"
