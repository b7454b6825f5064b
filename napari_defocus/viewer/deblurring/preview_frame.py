"""Frame around a preview on the canvas, with a label."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QEvent, QObject, QPointF, QRectF, Qt
from qtpy.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF
from qtpy.QtWidgets import QWidget

from ..threads.viewer_window import find_canvas

if TYPE_CHECKING:
    from napari.layers import Image
    from napari.viewer import Viewer

#: Color of the frame, and of its label, whose text is black.
_COLOR = QColor("#ffb000")
#: Least distance of the frame from the border of the canvas, and of text from that of its label.
_INSET, _PADDING = 3, 5


class PreviewFrame:
    """Frame that follows a layer on the canvas; no mouse event reaches it.

    Parameters
    ----------
    viewer : napari.viewer.Viewer
        Viewer with the layer; without a window there is no frame.
    """

    def __init__(self, viewer: "Viewer") -> None:
        self._viewer = viewer
        self._outline: _Outline | None = None

    @property
    def text(self) -> str:
        """The label of the frame; empty if there is none."""
        return "" if self._outline is None else self._outline.text

    def show(self, layer: "Image", text: str) -> None:
        """Show a label, and a frame around a layer of a viewer in 2D display."""
        canvas = find_canvas(self._viewer)
        if canvas is None:
            return
        if self._outline is None or self._outline.layer is not layer:
            self.hide()
            node = canvas.layer_to_visual[layer].node
            self._outline = _Outline(canvas.native, layer, lambda: _corners(layer, node))
            self._viewer.scene.camera.events.connect(self._outline.redraw)
            layer.events.connect(self._outline.redraw)
        self._outline.show_text(text)

    def rename(self, text: str) -> None:
        """Show another label, if there is a frame."""
        if self._outline is not None:
            self._outline.show_text(text)

    def hide(self) -> None:
        """Remove the frame."""
        outline, self._outline = self._outline, None
        if outline is not None:
            self._viewer.scene.camera.events.disconnect(outline.redraw)
            outline.layer.events.disconnect(outline.redraw)
            outline.hide()
            outline.deleteLater()


def _corners(layer: "Image", node: Any) -> QPolygonF:
    """Return the corners of a layer that a visual draws, in logical pixels of the canvas."""
    height, width = layer.data.shape[layer.ndim - 2 : layer.ndim]
    points = np.array([(0, 0), (width, 0), (width, height), (0, height)], float)
    mapped = node.get_transform("visual", "canvas").map(points)
    return QPolygonF([QPointF(x / w, y / w) for x, y, _, w in mapped])


class _Outline(QWidget):
    """Frame and label over a canvas.

    Parameters
    ----------
    canvas : QWidget
        The canvas.
    layer : napari.layers.Image
        The layer that it goes around.
    corners : callable
        Returns the corners of the layer, in pixels of the canvas.
    """

    def __init__(self, canvas: QWidget, layer: "Image", corners: Callable[[], QPolygonF]) -> None:
        super().__init__(canvas)
        self.layer, self.text = layer, ""
        self._corners = corners
        self.setObjectName("PreviewFrame")
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.resize(canvas.size())
        canvas.installEventFilter(self)
        self.show()

    def show_text(self, text: str) -> None:
        """Show a label."""
        self.text = text
        self.update()

    def redraw(self, *_: Any) -> None:
        """Follow the layer, when the window is drawn the next time."""
        self.update()

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Keep the size of the canvas."""
        if event is not None and event.type() == QEvent.Type.Resize:
            canvas = self.parentWidget()
            assert canvas is not None
            self.resize(canvas.size())
        return False

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Paint the frame where the layer lies, and no further out than the canvas shows."""
        if not self.layer.visible:
            return
        room = QRectF(self.rect()).adjusted(_INSET, _INSET, -_INSET, -_INSET)
        frame = self._corners().intersected(QPolygonF(room))
        if frame.isEmpty():
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for width, color in ((4.0, QColor(0, 0, 0, 150)), (2.0, _COLOR)):
            painter.setPen(QPen(color, width))
            painter.drawPolygon(frame)
        metrics, corner = painter.fontMetrics(), frame.boundingRect().topLeft()
        width, height = metrics.horizontalAdvance(self.text), metrics.height()
        label = QRectF(corner.x(), corner.y(), width + 2 * _PADDING, height + _PADDING)
        painter.fillRect(label, _COLOR)
        painter.setPen(QColor("black"))
        painter.drawText(label, Qt.AlignmentFlag.AlignCenter, self.text)
        painter.end()
