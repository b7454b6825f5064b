"""Opening of what a batch made: its files as layers, its report, its folder."""

from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from magicgui.widgets import Container, PushButton, Widget
from qtpy.QtCore import QUrl
from qtpy.QtGui import QDesktopServices

from ...batch.item import Item
from ...errors import DefocusError
from ...inference.engine import Progress
from ..files.open_files import OpenFile, read_file
from ..threads.runner import Worker

if TYPE_CHECKING:
    from napari.viewer import Viewer

#: Kinds of results that are opened; the confidence of a map is opened with its radii.
_OPENED = ("sharp", "radius")
_REPORTS = "report*.html"


class OpeningControls:
    """Buttons that open the report and the folder of a batch in the programs of the system."""

    def __init__(self) -> None:
        self._folder: Path | None = None
        self.report = PushButton(
            text="Open report",
            enabled=False,
            tooltip="Pictures and figures of all files, in the browser",
        )
        self.folder = PushButton(
            text="Open folder", enabled=False, tooltip="The folder with the results"
        )
        self.container: Container[Widget] = Container(
            widgets=[self.report, self.folder], layout="horizontal", labels=False
        )
        self.container.margins = (0, 0, 0, 0)
        self.report.changed.connect(self._open_report)
        self.folder.changed.connect(lambda: self._open(self._folder))

    def show_folder(self, folder: Path) -> None:
        """Offer to open what is in a folder now."""
        self._folder = folder
        self.folder.enabled = folder.is_dir()
        self.report.enabled = self._newest_report() is not None

    def _open_report(self) -> None:
        self._open(self._newest_report())

    def _newest_report(self) -> Path | None:
        reports = [] if self._folder is None else list(self._folder.glob(_REPORTS))
        return max(reports, key=lambda path: path.stat().st_mtime, default=None)

    def _open(self, path: Path | None) -> None:
        if path is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(path.absolute())))


def open_item(
    viewer: "Viewer", item: Item, tell: Callable[[str], object]
) -> "Worker[tuple[list[OpenFile], list[DefocusError]]]":
    """Read a file of a batch and its results in a thread, and add them as layers.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        Viewer that the layers are added to.
    item : Item
        The file. Results that do not exist are left out.
    tell : callable
        Called with the message of the first error, if files cannot be read.

    Returns
    -------
    Worker
        A worker of napari, already started.
    """
    results = [item.results[kind] for kind in _OPENED if kind in item.results]
    paths = [item.source, *filter(Path.exists, results)]

    def add(outcome: tuple[Sequence[OpenFile], Sequence[DefocusError]]) -> None:
        files, errors = outcome
        for file in files:
            file.add_to(viewer)
        for error in errors[:1]:
            tell(str(error))

    def steps() -> Generator[Progress, None, tuple[list[OpenFile], list[DefocusError]]]:
        files, errors = [], []
        for path in paths:
            yield Progress(0, 0)
            try:
                files.append(read_file(path))
            except DefocusError as error:
                errors.append(error)
        return files, errors

    worker = Worker(steps)
    worker.returned.connect(add)
    worker.start()
    return worker
