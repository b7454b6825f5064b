"""Text field for files, folders and patterns, one per line, with buttons that add to it."""

import os
from collections.abc import Iterable
from typing import Any

from magicgui.widgets import Container, PushButton, TextEdit, Widget

from ..io.formats import readable_suffixes

_HEIGHT = 90


class InputList(Container[Widget]):
    """List of files, folders and patterns that are typed, pasted, or chosen in a dialog."""

    def __init__(self, **kwargs: Any) -> None:
        self.text = TextEdit(tooltip="One file, folder or pattern, such as scans/*.tif, per line")
        self.text.max_height = _HEIGHT
        self.add_files = PushButton(text="Add files…")
        self.add_folder = PushButton(text="Add folder…")
        buttons: Container[Widget] = Container(
            widgets=[self.add_files, self.add_folder], layout="horizontal", labels=False
        )
        buttons.margins = (0, 0, 0, 0)
        super().__init__(widgets=[self.text, buttons], labels=False, **kwargs)
        self.margins = (0, 0, 0, 0)
        self.add_files.changed.connect(self._add_files)
        self.add_folder.changed.connect(self._add_folder)

    @property
    def value(self) -> list[str]:
        """Files, folders and patterns in the list; can be set."""
        lines = (line.strip() for line in str(self.text.value).splitlines())
        return [line for line in lines if line]

    @value.setter
    def value(self, paths: "Iterable[str | os.PathLike[str]]") -> None:
        self.text.value = "\n".join(os.fspath(path) for path in paths)

    def _add(self, paths: Iterable[str]) -> None:
        self.value = [*self.value, *paths]

    def _add_files(self) -> None:
        from qtpy.QtWidgets import QFileDialog

        suffixes = readable_suffixes()
        patterns = " ".join(f"*{suffix} *{suffix.upper()}" for suffix in suffixes)  # as cameras do
        chosen, _ = QFileDialog.getOpenFileNames(
            self.native, "Add images", "", f"Images ({patterns})"
        )
        self._add(chosen)

    def _add_folder(self) -> None:
        from qtpy.QtWidgets import QFileDialog

        chosen = QFileDialog.getExistingDirectory(self.native, "Add a folder of images")
        self._add([chosen] if chosen else [])
