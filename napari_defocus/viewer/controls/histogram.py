"""Histogram of blur radii, painted in the colors of the map."""

import math

import numpy as np
from qtpy.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from qtpy.QtGui import QColor, QHelpEvent, QPainter, QPaintEvent, QPalette, QPen
from qtpy.QtWidgets import QSizePolicy, QToolTip, QWidget

from ...map_colors import paint_map
from ..maps.radius_counts import RadiusCounts

_MARGIN = 8
_AXIS_HEIGHT = 18
#: Pixels between two numbers below the axis.
_GAP = 6


class RadiusHistogram(QWidget):
    """Histogram of radii; its heights are square roots, so that rare radii stay visible.

    Parameters
    ----------
    parent : QWidget, optional
        Widget that it is part of.
    hint : str
        Text in place of the bars while there is no map; without one, it is hidden until then.
    """

    #: Height of what is painted between bars and numbers, in pixels.
    _handle_height = 0

    def __init__(self, parent: QWidget | None = None, *, hint: str = "") -> None:
        super().__init__(parent)
        self._counts: RadiusCounts | None = None
        self._focus_radius = math.nan
        self.setObjectName("RadiusHistogram")
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.setToolTip("Number of pixels with each blur radius (heights on a square-root scale)")
        self._hint = hint
        if not hint:
            self.hide()

    def clear(self, hint: str) -> None:
        """Show a hint and no map; the place that the histogram takes stays as it is."""
        self._counts, self._hint = None, hint
        self.update()

    def show_counts(self, counts: RadiusCounts, focus_radius: float = math.nan) -> None:
        """Show the radii of a map, and mark the radius up to which it is in focus."""
        self._counts, self._focus_radius = counts, focus_radius
        self.show()
        self.update()

    @property
    def counts(self) -> RadiusCounts | None:
        """Counts that are shown, if any."""
        return self._counts

    def sizeHint(self) -> QSize:
        """Return the preferred size, in pixels."""
        return QSize(220, 92 + self._handle_height)

    def event(self, event: QEvent | None) -> bool:
        """Tell, where the pointer rests, which radii a bar stands for and how many they are."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            text = self.describe(event.pos().x())
            QToolTip.showText(event.globalPos(), f"{text}\n{self.toolTip()}".strip(), self)
            return True
        return super().event(event)

    def describe(self, x: float) -> str:
        """Return what the bar at a horizontal position says; nothing beside the bars."""
        counts, area = self._counts, self.area
        if counts is None or not area.left() <= x < area.right():
            return ""
        index = int((x - area.left()) / area.width() * len(counts.counts))
        number = int(counts.counts[index])
        share = number / max(1, int(counts.counts.sum()))
        return f"{counts.centers[index]:.2f} px: {share:.1%} of the pixels that are sure"

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Paint the bars and the axis."""
        painter = QPainter(self)
        if self._counts is None:
            painter.setPen(self.palette().color(QPalette.ColorRole.PlaceholderText))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, self._hint)
            painter.end()
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        _paint_bars(painter, self.area, self._counts)
        _paint_axis(painter, self.area, self.palette())
        self._paint_numbers(painter, self._counts)
        self.paint_marks(painter, self._counts)
        painter.end()

    @property
    def area(self) -> QRectF:
        """Rectangle of the bars, in pixels of the widget."""
        return QRectF(self.rect()).adjusted(
            _MARGIN, 2, -_MARGIN, -_AXIS_HEIGHT - self._handle_height
        )

    def paint_marks(self, painter: QPainter, counts: RadiusCounts) -> None:
        """Mark the radius up to which pixels count as in focus."""
        if not math.isfinite(self._focus_radius):
            return
        painter.setPen(QPen(self.palette().color(QPalette.ColorRole.WindowText), 1.5))
        for radius in {self._focus_radius, -self._focus_radius if counts.signed else math.inf}:
            if abs(radius) <= counts.limit:
                x = self.to_x(radius, counts)
                painter.drawLine(QPointF(x, self.area.top()), QPointF(x, self.area.bottom()))
        x = self.to_x(self._focus_radius, counts)
        painter.drawText(QPointF(x + 3, self.area.top() + 11), "in focus")

    def numbers(self, counts: RadiusCounts) -> list[tuple[float, str]]:
        """Return radii and their texts below the axis, the most important first."""
        low = -counts.limit if counts.signed else 0.0
        middle = (low + counts.limit) / 2
        ends = [(low, f"{low:.3g}"), (counts.limit, f"{counts.limit:.3g} px")]
        return [*ends, (middle, f"{middle:.3g}")]

    def _paint_numbers(self, painter: QPainter, counts: RadiusCounts) -> None:
        """Paint numbers below the axis, except where a more important one stands."""
        painter.setPen(self.palette().color(QPalette.ColorRole.WindowText))
        area, top = self.area, self.area.bottom() + 2 + self._handle_height
        taken: list[QRectF] = []
        for radius, text in self.numbers(counts):
            width = painter.fontMetrics().horizontalAdvance(text) + _GAP
            left = min(self.to_x(radius, counts) - width / 2, self.width() - width)
            place = QRectF(max(left, 0.0), top, width, _AXIS_HEIGHT - 2)
            if area.width() and not any(place.intersects(other) for other in taken):
                painter.drawText(place, Qt.AlignmentFlag.AlignCenter, text)
                taken.append(place)

    def to_x(self, radius: float, counts: RadiusCounts) -> float:
        """Return where on the axis a radius lies, in pixels of the widget."""
        low = -counts.limit if counts.signed else 0.0
        share = (radius - low) / (counts.limit - low)
        return float(self.area.left() + share * self.area.width())


def _paint_bars(painter: QPainter, area: QRectF, counts: RadiusCounts) -> None:
    heights = np.sqrt(counts.counts / max(1, counts.counts.max())) * area.height()
    colors = paint_map(
        counts.centers.astype(np.float32), signed=counts.signed, limit=counts.limit
    ).tolist()
    width = area.width() / len(heights)
    painter.setPen(Qt.PenStyle.NoPen)
    for index, (height, color) in enumerate(zip(heights.tolist(), colors, strict=True)):
        painter.setBrush(QColor(*color))
        left = area.left() + index * width
        painter.drawRect(QRectF(left, area.bottom() - height, width, height))


def _paint_axis(painter: QPainter, area: QRectF, palette: QPalette) -> None:
    """Paint the axis with ticks at its ends and in its middle."""
    painter.setPen(palette.color(QPalette.ColorRole.WindowText))
    painter.drawLine(area.bottomLeft(), area.bottomRight())
    for x in (area.left(), area.center().x(), area.right()):
        painter.drawLine(QPointF(x, area.bottom()), QPointF(x, area.bottom() + 3))
