"""Split view: a result is drawn only to the right of a handle, and its image to the left."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QEvent, QObject, QRectF, Qt
from qtpy.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent
from qtpy.QtWidgets import QLabel, QWidget
from vispy.visuals.filters import Clipper

from ...errors import OptionError
from ..threads.viewer_window import find_canvas

if TYPE_CHECKING:
    from napari.layers import Image
    from napari.viewer import Viewer

#: Width of the handle and side of the knob in its middle, in pixels of the screen.
_WIDTH, _KNOB = 26, 22
#: Distance of the words on both sides from the handle and from the top, in pixels.
_DISTANCE = 8
#: Style of these words, which can be read on any picture.
_STYLE = "color: white; background: rgba(0, 0, 0, 150); padding: 2px 5px; border-radius: 3px"
#: Larger than any canvas, in pixels.
_FAR = 1e6


class SplitHandle(QWidget):
    """Vertical line over a canvas that the pointer or the arrow keys move.

    Parameters
    ----------
    canvas : QWidget
        The canvas.
    on_move : callable
        Called with the position as a share, 0 to 1, of the canvas's width.
    """

    def __init__(self, canvas: QWidget, on_move: Callable[[float], object]) -> None:
        super().__init__(canvas)
        self._on_move = on_move
        self._share = 0.5
        self.setObjectName("SplitHandle")
        self.setCursor(Qt.CursorShape.SplitHCursor)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setToolTip("Left: the image. Right: the result. Drag, or press the arrow keys")
        self._before, self._after = (_word_on(canvas, text) for text in ("before", "after"))
        canvas.installEventFilter(self)
        self.move_to(0.5)
        self.show()

    def move_to(self, share: float) -> None:
        """Move the line to a share of the canvas's width."""
        self._share = float(np.clip(share, 0.0, 1.0))
        canvas = self._canvas
        center = self._share * canvas.width()
        self.setGeometry(round(center) - _WIDTH // 2, 0, _WIDTH, canvas.height())
        self._before.move(self.x() - _DISTANCE - self._before.width(), _DISTANCE)
        self._after.move(self.x() + _WIDTH + _DISTANCE, _DISTANCE)
        self._on_move(self._share)

    @property
    def share(self) -> float:
        """Position of the line as a share of the canvas's width."""
        return self._share

    @property
    def _canvas(self) -> QWidget:
        canvas = self.parentWidget()
        assert canvas is not None
        return canvas

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Keep the share when the canvas changes its size."""
        if event is not None and event.type() == QEvent.Type.Resize:
            self.move_to(self._share)
        return False

    def remove(self) -> None:
        """Remove the line and its words from the canvas."""
        for widget in (self, self._before, self._after):
            widget.hide()
            widget.deleteLater()

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:
        """Follow the pointer while a button is pressed."""
        if event is not None and event.buttons():
            x = self.mapToParent(event.position().toPoint()).x()
            self.move_to(x / max(1, self._canvas.width()))

    def mousePressEvent(self, event: QMouseEvent | None) -> None:
        """Keep the press from the canvas, which would move the view."""

    def keyPressEvent(self, event: Any) -> None:
        """Move the line with the arrow keys."""
        steps = {Qt.Key.Key_Left: -0.02, Qt.Key.Key_Right: 0.02}
        if event.key() in steps:
            self.move_to(self._share + steps[event.key()])
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Paint a line that can be seen on bright and on dark ground, with a knob."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        middle = self.width() / 2
        for width, color in ((4.0, QColor(0, 0, 0, 160)), (2.0, QColor(255, 255, 255, 230))):
            painter.fillRect(QRectF(middle - width / 2, 0, width, self.height()), color)
        knob = QRectF(middle - _KNOB / 2, (self.height() - _KNOB) / 2, _KNOB, _KNOB)
        painter.setBrush(QColor(255, 255, 255, 230))
        painter.drawEllipse(knob)
        painter.setPen(QColor(60, 60, 60))
        painter.drawText(knob, Qt.AlignmentFlag.AlignCenter, "◂▸")
        painter.end()


def _word_on(canvas: QWidget, text: str) -> QLabel:
    """Return a word over a canvas that lets the mouse through."""
    label = QLabel(text, canvas)
    label.setStyleSheet(_STYLE)
    label.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
    label.adjustSize()
    label.show()
    return label


class SplitView:
    """Result that is drawn only to the right of a handle.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        Viewer with a window in 2D display.
    layer : napari.layers.Image
        The result.

    Raises
    ------
    OptionError
        If the viewer has no window or shows three dimensions.
    """

    def __init__(self, viewer: "Viewer", layer: "Image") -> None:
        canvas = find_canvas(viewer)
        if canvas is None or viewer.dims.ndisplay != 2:
            raise OptionError(
                "a split view needs a window in 2D display; switch the viewer to 2D, or hold the "
                "key for the image before"
            )
        self.layer = layer
        self._node = canvas.layer_to_visual[layer].node
        self._canvas: QWidget = canvas.native
        self._clipper = Clipper()
        self._node.attach(self._clipper)
        self.handle = SplitHandle(self._canvas, self._clip)

    def close(self) -> None:
        """Draw the whole result again."""
        self._node.detach(self._clipper)
        self._node.update()
        self.handle.remove()

    def _clip(self, share: float) -> None:
        left = share * self._canvas.width() * self._canvas.devicePixelRatioF()
        self._clipper.bounds = (left, -_FAR, _FAR, 2 * _FAR)
        self._node.update()
