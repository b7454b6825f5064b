"""Question whether a batch keeps or replaces files where its results should go."""

from collections.abc import Callable

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QMessageBox, QPushButton, QWidget

from ..batch.existing import Obstacle
from ..batch.settings import Existing


def ask_about_existing(
    parent: QWidget, obstacle: Obstacle, answer: Callable[[Existing], object]
) -> QMessageBox:
    """Show the question; it does not wait for the answer.

    Parameters
    ----------
    parent : QWidget
        Widget that the question belongs to.
    obstacle : Obstacle
        The first of these files.
    answer : callable
        Called with what to do, unless the question is canceled.

    Returns
    -------
    QMessageBox
        The question, which is deleted when it is closed.
    """
    box = QMessageBox(parent)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.setIcon(QMessageBox.Icon.Question)
    box.setText(f"{obstacle.sentence}.")
    choices: dict[str, Existing]
    if obstacle.kind == "input":
        box.setInformativeText("Results of other inputs stay; new ones can get numbers.")
        choices = {"Give new names": "keep"}
    else:
        box.setInformativeText("There may be more such files. Replaced ones are lost.")
        choices = {"Keep them": "keep", "Replace them": "replace"}
    for text, existing in choices.items():
        button = QPushButton(text)
        box.addButton(button, QMessageBox.ButtonRole.ActionRole)
        button.clicked.connect(lambda *_, existing=existing: answer(existing))
    box.setDefaultButton(box.addButton(QMessageBox.StandardButton.Cancel))
    box.open()
    return box
