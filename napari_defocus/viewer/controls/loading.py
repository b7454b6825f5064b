"""Word that stands where a panel will be."""

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLabel


def loading_label() -> QLabel:
    """Return a label that says that something is being loaded."""
    label = QLabel("loading…")
    label.setAlignment(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop)
    label.setContentsMargins(0, 24, 0, 0)
    return label
