"""Text field for files, folders and patterns, one per line, that files are dropped on."""

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from magicgui.widgets import Container, PushButton, TextEdit, Widget
from qtpy.QtCore import QEvent, QObject
from qtpy.QtGui import QDragMoveEvent, QDropEvent

from ...io.formats import readable_suffixes
from ...io.zarr_layout import is_zarr_folder

_HEIGHT = 90
_HINT = "Drop files and folders here"


class InputList(Container[Widget]):
    """List of files, folders and patterns that are typed, pasted, or chosen in a dialog."""

    def __init__(self, **kwargs: Any) -> None:
        self.text = TextEdit(tooltip="One file, folder or pattern, such as scans/*.tif, per line")
        self.text.max_height = _HEIGHT
        self.text.native.setPlaceholderText(_HINT)
        self.text.native.setTabChangesFocus(True)
        self._drops = _DropFilter(self.text.native, self._add)
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

    @property
    def folder(self) -> Path | None:
        """Folder that the first of them lies in, or is; None if the list is empty."""
        if not self.value:
            return None
        path = Path(self.value[0]).expanduser()
        while any(mark in path.name for mark in "*?["):
            path = path.parent
        return path if path.is_dir() and not is_zarr_folder(path) else path.parent

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


class _DropFilter(QObject):
    """Filter that adds files dropped on a text field, in place of inserting their addresses.

    Parameters
    ----------
    field : QTextEdit
        The field, which owns the filter.
    add : callable
        Called with the paths of the files.
    """

    def __init__(self, field: Any, add: Callable[[Iterable[str]], None]) -> None:
        super().__init__(field)
        self._add = add
        field.viewport().setAcceptDrops(True)
        field.viewport().installEventFilter(self)

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Take what is dropped if it is files."""
        if not isinstance(event, QDragMoveEvent | QDropEvent):
            return False
        data = event.mimeData()
        paths = [url.toLocalFile() for url in data.urls()] if data is not None else []
        if not any(paths):
            return False
        event.acceptProposedAction()
        if event.type() == QEvent.Type.Drop:
            self._add(filter(None, paths))
        return True
