"""Histogram of radii with two handles between which radii are deblurred."""

from typing import Any

from qtpy.QtCore import QPointF, QRectF, Qt, Signal  # type: ignore[attr-defined]
from qtpy.QtGui import QColor, QMouseEvent, QPainter, QPalette, QPen, QPolygonF
from qtpy.QtWidgets import QWidget

from ..controls.histogram import RadiusHistogram
from ..maps.radius_counts import RadiusCounts

#: Pixels around a handle in which it is taken up, and half the width of its mark.
_REACH, _HALF = 8, 5
#: Step of the arrow keys, in pixels of radius.
_STEP = 0.1
#: Hint where there is no map, and where a layer is used that was not estimated.
NO_MAP, OTHER_MAP = "no map yet: Deblur estimates one", "the chosen layer is used as map"
_SHADE = QColor(0, 0, 0, 120)


class RangeHistogram(RadiusHistogram):
    """Histogram of the sizes of radii; what lies outside of the handles is left alone.

    Attributes
    ----------
    lower_changed, upper_changed : Signal
        Emitted with the radius in pixels to which the user moved a handle; the upper one emits 0
        at the end of the axis, where it limits nothing.
    """

    _handle_height = 7

    lower_changed = Signal(float)
    upper_changed = Signal(float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, hint=NO_MAP)
        self._range = 0.0, 0.0
        self._grabbed = ""
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setToolTip(
            "Drag the handles: what is sharper than the left one, or more blurred than the right "
            "one, stays as it is"
        )

    @property
    def range(self) -> tuple[float, float]:
        """Radii at the handles, in pixels; an upper one of 0 limits nothing."""
        return self._range

    def show_range(self, lower: float, upper: float) -> None:
        """Move the handles."""
        self._range = lower, upper
        self.update()

    def mousePressEvent(self, event: QMouseEvent | None) -> None:
        """Take up the handle under the pointer, the nearer of two."""
        if event is None or self.counts is None:
            return
        places = dict(zip(("lower", "upper"), self._places(self.counts), strict=True))
        distances = {name: abs(event.position().x() - x) for name, x in places.items()}
        nearest = min(distances, key=lambda name: distances[name])
        self._grabbed = nearest if distances[nearest] <= _REACH else ""

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:
        """Move the handle that was taken up."""
        if event is not None and self._grabbed and self.counts is not None:
            share = (event.position().x() - self.area.left()) / max(1.0, self.area.width())
            self._move(self._grabbed, share * self.counts.limit, self.counts)

    def mouseReleaseEvent(self, event: QMouseEvent | None) -> None:
        """Let the handle go; the arrow keys still move it."""

    def keyPressEvent(self, event: Any) -> None:
        """Move the handle taken up last, at first the lower one, with the arrow keys."""
        steps = {Qt.Key.Key_Left: -_STEP, Qt.Key.Key_Right: _STEP}
        if event.key() not in steps or self.counts is None:
            super().keyPressEvent(event)
            return
        lower, upper = self._range
        radius = lower if self._grabbed != "upper" else upper or self.counts.limit
        self._move(self._grabbed or "lower", radius + steps[event.key()], self.counts)

    def _move(self, handle: str, radius: float, counts: RadiusCounts) -> None:
        lower, upper = self._range
        if handle == "lower":
            lower = min(max(radius, 0.0), upper or counts.limit)
            self.show_range(lower, upper)
            self.lower_changed.emit(lower)
        else:
            upper = 0.0 if radius >= counts.limit else max(radius, lower, _STEP)
            self.show_range(lower, upper)
            self.upper_changed.emit(upper)

    def _places(self, counts: RadiusCounts) -> tuple[float, float]:
        lower, upper = self._range
        end = counts.limit if upper == 0 else min(upper, counts.limit)
        return self.to_x(min(lower, counts.limit), counts), self.to_x(end, counts)

    def numbers(self, counts: RadiusCounts) -> list[tuple[float, str]]:
        """Return the radii at the handles, that moved last first, and those of the axis."""
        lower, upper = (min(radius, counts.limit) for radius in self._range)
        handles = [(lower, f"{lower:.3g} px"), (upper, f"{upper:.3g} px")]
        if self._grabbed == "upper":
            handles.reverse()
        return [each for each in handles if each[0] > 0] + super().numbers(counts)

    def paint_marks(self, painter: QPainter, counts: RadiusCounts) -> None:
        """Darken what is left alone, and paint the handles."""
        area, (left, right) = self.area, self._places(counts)
        painter.fillRect(QRectF(area.left(), area.top(), left - area.left(), area.height()), _SHADE)
        painter.fillRect(QRectF(right, area.top(), area.right() - right, area.height()), _SHADE)
        color = self.palette().color(QPalette.ColorRole.WindowText)
        painter.setPen(QPen(color, 1.5))
        painter.setBrush(color)
        for x in (left, right):
            painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()))
            tip = QPointF(x, area.bottom() - 2)
            feet = [
                QPointF(x + side, area.bottom() + self._handle_height) for side in (-_HALF, _HALF)
            ]
            painter.drawPolygon(QPolygonF([tip, *feet]))
