"""Question whether a batch keeps or replaces files where its results should go."""

from collections.abc import Callable

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QMessageBox, QWidget

from ...batch.existing import ExistingFileError
from ...batch.settings import Existing


def ask_about_existing(
    parent: QWidget, error: ExistingFileError, answer: Callable[[Existing], object]
) -> QMessageBox:
    """Show the question; it does not wait for the answer.

    Parameters
    ----------
    parent : QWidget
        Widget that the question belongs to.
    error : ExistingFileError
        The first of these files, and how many there are.
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
    obstacle, count = error.obstacle, error.count
    choices: dict[str, Existing]
    if obstacle.kind == "input":
        box.setText(f"{obstacle.sentence}.")
        box.setInformativeText("Results of other inputs stay; new ones can get numbers.")
        choices = {"Give new names": "beside"}
    else:
        is_made = obstacle.kind == "settings"
        files = "1 result was" if count == 1 else f"{count} results were"
        settings = f"{files} made with other settings: {obstacle.path.name}"
        box.setText(
            (settings + (" and others." if count > 1 else "."))
            if is_made
            else f"{obstacle.sentence}."
        )
        box.setInformativeText(
            "Replaced files are lost. New results beside them get numbers, such as "
            f"{obstacle.path.stem}-2."
        )
        choices = {"Replace them": "replace", "Keep both (-2)": "beside", "Keep them": "keep"}
        if obstacle.kind == "changed":
            del choices["Keep both (-2)"]
    for text, existing in choices.items():
        button = box.addButton(text, QMessageBox.ButtonRole.ActionRole)
        assert button is not None
        button.clicked.connect(lambda *_, existing=existing: answer(existing))
    box.setDefaultButton(box.addButton(QMessageBox.StandardButton.Cancel))
    box.open()
    return box
