"""Table of the files of a batch and their state, one row per file."""

from collections.abc import Callable

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget, QTableWidgetItem

from ..batch.plan import Plan
from ..batch.process import Outcome
from ..batch.run import Event

_COLUMNS = ("file", "state", "seconds", "radius", "in focus", "message")
_STATE, _MESSAGE = _COLUMNS.index("state"), _COLUMNS.index("message")
_HEIGHT = 160


class BatchTable(QTableWidget):
    """Table with one row per file; a double click opens the file.

    Parameters
    ----------
    on_open : callable
        Called with the index of the row that was double-clicked.
    """

    def __init__(self, on_open: Callable[[int], None]) -> None:
        super().__init__(0, len(_COLUMNS))
        self.setHorizontalHeaderLabels(list(_COLUMNS))
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setToolTip("Double-click opens the file and its results")
        self.setMinimumHeight(_HEIGHT)
        header = self.horizontalHeader()
        if header is not None:
            header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
            header.setStretchLastSection(True)
        self.cellDoubleClicked.connect(lambda row, _: on_open(row))

    def show_plan(self, plan: Plan) -> None:
        """List the files of a plan, all of them waiting."""
        self.setRowCount(len(plan.items))
        for row, item in enumerate(plan.items):
            for column, text in enumerate((item.name, "waiting", "", "", "", "")):
                self._set(row, column, text)
            self._cell(row, 0).setToolTip(str(item.source))

    def show_event(self, event: Event) -> None:
        """Show the progress or the outcome of a file."""
        if event.outcome is None:
            share = f"{event.done / event.total:.0%}" if event.total else "started"
            self._set(event.index, _STATE, share)
        else:
            self._show_outcome(event.index, event.outcome)
        self.scrollToItem(self._cell(event.index, 0))

    def texts(self, row: int) -> list[str]:
        """Return the texts of a row, from left to right."""
        return [self._cell(row, column).text() for column in range(len(_COLUMNS))]

    def _show_outcome(self, row: int, outcome: Outcome) -> None:
        measures = outcome.measures
        tells = measures is not None and measures.sure != 0
        radius = f"{measures.median_radius:.2f} px" if measures and tells else ""
        share = f"{measures.in_focus:.0%}" if measures and tells else ""
        texts = (outcome.state, f"{outcome.seconds:.1f}", radius, share, outcome.message)
        for column, text in enumerate(texts, _STATE):
            self._set(row, column, text)
        self._cell(row, _MESSAGE).setToolTip(outcome.message)

    def _set(self, row: int, column: int, text: str) -> None:
        self._cell(row, column).setText(text)

    def _cell(self, row: int, column: int) -> QTableWidgetItem:
        cell = self.item(row, column)
        if cell is None:
            cell = QTableWidgetItem()
            number = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
            if _COLUMNS[column] in ("seconds", "radius", "in focus"):
                cell.setTextAlignment(number)
            self.setItem(row, column, cell)
        return cell
