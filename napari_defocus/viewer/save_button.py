"""Button that writes a result to a file."""

import os
from collections.abc import Callable, Generator
from pathlib import Path
from typing import TYPE_CHECKING

from magicgui.widgets import PushButton

from ..inference.engine import Progress
from .run_controls import RunControls
from .runner import Worker
from .save import save_layer, suggested_path

if TYPE_CHECKING:
    from napari.layers import Image


class SaveButton:
    """Button that asks for the name of a file, and writes a result in a thread.

    Parameters
    ----------
    result : callable
        Returns the layer to write; an OptionError if there is none.
    controls : RunControls
        Where it is told what was saved, or why not.
    """

    def __init__(self, result: "Callable[[], Image]", controls: RunControls) -> None:
        self._result, self._controls = result, controls
        self.button = PushButton(
            text="Save…", tooltip="Write the result, with the metadata of its image's file"
        )
        self.button.changed.connect(lambda: controls.attempt(self._choose_file))

    def save(self, path: "str | os.PathLike[str]", *, overwrite: bool = False) -> Worker[None]:
        """Write the result to a file, whose suffix names the format.

        Raises
        ------
        OptionError
            If there is no result.
        """
        layer, file = self._result(), Path(path)

        def steps() -> Generator[Progress, None, None]:
            yield Progress(0, 0)
            save_layer(layer, file, overwrite=overwrite)

        worker = Worker(steps)
        worker.returned.connect(lambda _: self._controls.show_note(f"saved {file}"))
        worker.errored.connect(lambda error: self._controls.show_error(str(error)))
        worker.start()
        return worker

    def _choose_file(self) -> None:
        from qtpy.QtWidgets import QFileDialog

        start = str(suggested_path(self._result()))
        path, _ = QFileDialog.getSaveFileName(self.button.native, "Save the result", start)
        if path:
            self.save(path, overwrite=True)  # the dialog has asked
