"""Plot of the radii over the planes of a stack, in which a click chooses a plane."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from qtpy.QtCore import QPointF, QRectF, QSize, Qt
from qtpy.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPalette, QPen, QPolygonF
from qtpy.QtWidgets import QSizePolicy, QWidget

_MARGIN, _AXIS_HEIGHT = 10, 18
#: Height above the curve for the radius at its top, in pixels.
_LABEL_HEIGHT = 18
_CURVE, _BEST = QColor("#3a7ebf"), QColor("#c0392b")


class ProfilePlot(QWidget):
    """Radius of what is in focus over the planes; the best plane and the current one marked.

    Parameters
    ----------
    on_click : callable
        Called with the number of the plane that is clicked.
    """

    def __init__(self, on_click: Callable[[int], Any], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._on_click = on_click
        self._radius: npt.NDArray[np.float64] = np.empty(0)
        self._best = np.nan
        self._current: int | None = None
        self.setObjectName("ProfilePlot")
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.setToolTip(
            "Blur radius, in each plane, of what is sharp in the best one; click to go to a plane"
        )
        self.hide()

    @property
    def radius(self) -> npt.NDArray[np.float64]:
        """Radii that are shown, in pixels."""
        return self._radius

    @property
    def current(self) -> int | None:
        """Plane that is marked as the current one."""
        return self._current

    def show_profile(self, radius: npt.NDArray[np.float64], best: float) -> None:
        """Show the radii of planes (planes,), NaN left out, and the best plane."""
        self._radius, self._best = np.asarray(radius, float), best
        self.show()
        self.update()

    def show_current(self, plane: int | None) -> None:
        """Mark the plane that the viewer shows."""
        if plane != self._current:
            self._current = plane
            self.update()

    def position(self, plane: float) -> float:
        """Return the horizontal position of a plane in the widget."""
        area = self._area()
        return float(area.left() + plane / max(len(self._radius) - 1, 1) * area.width())

    def sizeHint(self) -> QSize:
        """Return the preferred size, in pixels."""
        return QSize(220, 120)

    def mousePressEvent(self, event: QMouseEvent | None) -> None:
        """Choose the plane that is nearest to the click."""
        if event is not None and len(self._radius):
            area = self._area()
            share = (event.position().x() - area.left()) / max(area.width(), 1)
            plane = round(share * (len(self._radius) - 1))
            self._on_click(int(np.clip(plane, 0, len(self._radius) - 1)))

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Paint curve, marks and axis."""
        if not len(self._radius):
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_marks(painter)
        self._paint_curve(painter)
        self._paint_axis(painter)
        painter.end()

    def _area(self) -> QRectF:
        return QRectF(self.rect()).adjusted(_MARGIN, _LABEL_HEIGHT, -_MARGIN, -_AXIS_HEIGHT)

    def _paint_marks(self, painter: QPainter) -> None:
        area = self._area()
        if self._current is not None:
            painter.setPen(QPen(self.palette().color(QPalette.ColorRole.WindowText), 1))
            x = self.position(self._current)
            painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()))
        if np.isfinite(self._best):
            painter.setPen(QPen(_BEST, 1, Qt.PenStyle.DashLine))
            x = self.position(self._best)
            painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()))

    def _paint_curve(self, painter: QPainter) -> None:
        area = self._area()
        top = max(float(np.nanmax(self._radius, initial=1.0)), 1.0)
        points = [
            QPointF(self.position(plane), area.bottom() - radius / top * area.height())
            for plane, radius in enumerate(self._radius.tolist())
            if np.isfinite(radius)
        ]
        painter.setPen(QPen(_CURVE, 2))
        painter.drawPolyline(QPolygonF(points))
        painter.setBrush(_CURVE)
        for point in points:
            painter.drawEllipse(point, 2, 2)

    def _paint_axis(self, painter: QPainter) -> None:
        area, sides = self._area(), Qt.AlignmentFlag
        painter.setPen(self.palette().color(QPalette.ColorRole.WindowText))
        painter.drawLine(area.bottomLeft(), area.bottomRight())
        strip = QRectF(area.left(), area.bottom() + 2, area.width(), _AXIS_HEIGHT - 2)
        top = max(float(np.nanmax(self._radius, initial=1.0)), 1.0)
        painter.drawText(strip, sides.AlignLeft, "0")
        painter.drawText(strip, sides.AlignHCenter, "plane")
        painter.drawText(strip, sides.AlignRight, str(len(self._radius) - 1))
        above = QRectF(area.left(), 0, area.width(), _LABEL_HEIGHT)
        painter.drawText(above, sides.AlignLeft | sides.AlignTop, f"{top:.1f} px")
