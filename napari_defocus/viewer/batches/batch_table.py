"""Table of the files of a batch and their state: failed ones first, messages below their file."""

from collections.abc import Callable

from qtpy.QtCore import Qt
from qtpy.QtGui import QColor, QKeyEvent
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget, QTableWidgetItem

from ...batch.plan import Plan
from ...batch.process import Outcome
from ...batch.run import Event
from ..controls.run_controls import ERROR_COLOR

_COLUMNS = {
    "file": "Double-click opens the file and its results",
    "state": "waiting, share that is done, done, verified (by an earlier run), kept, or failed",
    "seconds": "Time that it took",
    "radius": "Median blur radius of the pixels that tell it, in pixels",
    "in focus": "Share, of the pixels that tell, that is in focus",
}
_NAMES = tuple(_COLUMNS)
_STATE = _NAMES.index("state")
_NUMBERS = ("seconds", "radius", "in focus")
_HEIGHT = 160


class BatchTable(QTableWidget):
    """Table with one row per file, and one below it for what there is to say of the file.

    Parameters
    ----------
    on_open : callable
        Called with the number of the file that was double-clicked, or at which Enter was pressed.
    """

    def __init__(self, on_open: Callable[[int], None]) -> None:
        super().__init__(0, len(_NAMES))
        self._on_open = on_open
        self._files: list[int] = []  # of each row; a message has that of the row above
        self._failed_rows = 0
        self.setHorizontalHeaderLabels(list(_NAMES))
        for column, tooltip in enumerate(_COLUMNS.values()):
            item = self.horizontalHeaderItem(column)
            if item is not None:
                item.setToolTip(tooltip)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setTabKeyNavigation(False)  # the Tab key leads on to what stands below
        self.setToolTip("Double-click or Enter opens the file and its results")
        self.setMinimumHeight(_HEIGHT)
        self.setWordWrap(True)
        header, numbers = self.horizontalHeader(), self.verticalHeader()
        if header is not None and numbers is not None:
            header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
            header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
            numbers.hide()
        self.cellDoubleClicked.connect(lambda row, _: self._open(row))

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """Open the file of the current row by Enter."""
        is_enter = event is not None and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if is_enter and self.currentRow() >= 0:
            self._open(self.currentRow())
        else:
            super().keyPressEvent(event)

    @property
    def files(self) -> list[int]:
        """Numbers of the files, from top to bottom."""
        return list(dict.fromkeys(self._files))

    def show_plan(self, plan: Plan) -> None:
        """List the files of a plan, all of them waiting."""
        self.clearSpans()
        self.setRowCount(0)
        self.setRowCount(len(plan.items))
        self._files, self._failed_rows = list(range(len(plan.items))), 0
        for row, item in enumerate(plan.items):
            self._fill(row, (item.name, "waiting"))  # cells of thousands of files take time
            self._cell(row, 0).setToolTip(str(item.source))

    def show_event(self, event: Event) -> None:
        """Show the progress or the outcome of a file."""
        row = self._files.index(event.index)
        if event.outcome is None:
            share = f"{event.done / event.total:.0%}" if event.total else "started"
            self._cell(row, _STATE).setText(share)
            self.scrollToItem(self._cell(row, 0))
        else:
            self._show_outcome(row, event.outcome)

    def texts(self, file: int) -> list[str]:
        """Return the texts of a file, from left to right, and its message, if any."""
        row = self._files.index(file)
        texts = [self._cell(row, column).text() for column in range(len(_NAMES))]
        return [*texts, self._cell(row + 1, 0).text()] if self._has_message(row) else texts

    def _show_outcome(self, row: int, outcome: Outcome) -> None:
        measures, is_failed = outcome.measures, outcome.state == "failed"
        tells = measures is not None and measures.sure != 0
        radius = f"{measures.median_radius:.2f} px" if measures and tells else ""
        share = f"{measures.in_focus:.0%}" if measures and tells else ""
        name, tooltip = self._cell(row, 0).text(), self._cell(row, 0).toolTip()
        file = self._files[row]
        if is_failed:  # above all that did not fail
            self._remove(row)
            row = self._failed_rows
            self._insert(row, file)
            self._failed_rows += 2 if outcome.message else 1
        self._fill(row, (name, outcome.state, f"{outcome.seconds:.1f}", radius, share))
        self._cell(row, 0).setToolTip(tooltip)
        self.resizeRowToContents(row)  # its name may be wrapped
        if outcome.message:
            self._insert(row + 1, file)
            numbers = self.verticalHeader()
            if numbers is not None:  # its text is wrapped
                numbers.setSectionResizeMode(row + 1, QHeaderView.ResizeMode.ResizeToContents)
            self.setSpan(row + 1, 0, 1, len(_NAMES))
            self._fill(row + 1, (outcome.message,))
            self._cell(row + 1, 0).setToolTip(outcome.message)
        for failed in range(row, self._failed_rows):
            self._color(failed)

    def _has_message(self, row: int) -> bool:
        return row + 1 < len(self._files) and self._files[row + 1] == self._files[row]

    def _insert(self, row: int, file: int) -> None:
        self.insertRow(row)
        self._files.insert(row, file)

    def _remove(self, row: int) -> None:
        self.removeRow(row)
        del self._files[row]

    def _fill(self, row: int, texts: tuple[str, ...]) -> None:
        for column, text in enumerate(texts):
            self._cell(row, column).setText(text)

    def _color(self, row: int) -> None:
        for column in range(len(_NAMES)):
            self._cell(row, column).setForeground(QColor(ERROR_COLOR))

    def _open(self, row: int) -> None:
        self._on_open(self._files[row])

    def _cell(self, row: int, column: int) -> QTableWidgetItem:
        cell = self.item(row, column)
        if cell is None:
            cell = QTableWidgetItem()
            number = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
            if _NAMES[column] in _NUMBERS:
                cell.setTextAlignment(number)
            self.setItem(row, column, cell)
        return cell
