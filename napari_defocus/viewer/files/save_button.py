"""Button that writes a result to a file."""

import os
from collections.abc import Callable, Generator
from pathlib import Path
from typing import TYPE_CHECKING

from magicgui.widgets import PushButton

from ...inference.engine import Progress
from ...provenance_record import sidecar_path
from ..controls.run_controls import RunControls
from ..layers.results import METADATA_KEY
from ..threads.runner import Worker
from .save import fitting_suffixes, picture_around, save_layer, suggested_path

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
            save_layer(layer, file, overwrite=overwrite, whole=True)

        text = f"saved {file}"
        if picture_around(layer) is not None:
            text += ": the whole picture with the part that was deblurred"
        if METADATA_KEY in layer.metadata:
            text += f"; how it was made is in {sidecar_path(file).name}"
        worker = Worker(steps)
        worker.returned.connect(lambda _: self._controls.show_note(text))
        worker.errored.connect(lambda error: self._controls.show_error(str(error)))
        worker.start()
        return worker

    def _choose_file(self) -> None:
        from qtpy.QtWidgets import QFileDialog

        result = self._result()
        patterns = " ".join(f"*{suffix}" for suffix in fitting_suffixes(result))
        path, _ = QFileDialog.getSaveFileName(
            self.button.native,
            "Save the result; the suffix names the format",
            str(suggested_path(result)),
            f"Pictures ({patterns});;All files (*)",
        )
        if path:
            self.save(path, overwrite=True)  # the dialog has asked
