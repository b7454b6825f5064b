"""Histogram of blur radii, painted in the colors of the map."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from qtpy.QtCore import QPointF, QRectF, QSize, Qt
from qtpy.QtGui import QColor, QPainter, QPaintEvent, QPalette
from qtpy.QtWidgets import QSizePolicy, QWidget

from ..map_colors import color_limit, paint_map

_BINS = 64
_MARGIN = 8
_AXIS_HEIGHT = 18


@dataclass(frozen=True)
class RadiusCounts:
    """Numbers of pixels of a map in each range of radii.

    Parameters
    ----------
    counts : (64,) int array
        Pixels in each bin; the last (and, if signed, the first) includes all larger radii.
    limit : float
        Radius in pixels at the end of the axis.
    signed : bool
        Whether the axis starts at ``-limit`` instead of 0.
    """

    counts: npt.NDArray[np.int64]
    limit: float
    signed: bool

    @property
    def centers(self) -> npt.NDArray[np.float64]:
        """Radii in pixels at the centers of the bins, of shape (64,)."""
        edges = np.linspace(-self.limit if self.signed else 0.0, self.limit, len(self.counts) + 1)
        return (edges[:-1] + edges[1:]) / 2


def count_radii(radius: npt.NDArray[np.floating], *, signed: bool) -> RadiusCounts:
    """Count the radii of a map, leaving out NaN.

    Parameters
    ----------
    radius : (...) float array
        Blur radii in pixels.
    signed : bool
        Whether radii may be negative.

    Examples
    --------
    >>> int(count_radii(np.array([0.0, 1.0, np.nan]), signed=False).counts.sum())
    2
    """
    limit = color_limit(radius)
    finite = radius[np.isfinite(radius)]
    low = -limit if signed else 0.0
    counts, _ = np.histogram(np.clip(finite, low, limit), bins=_BINS, range=(low, limit))
    return RadiusCounts(counts, limit, signed)


class RadiusHistogram(QWidget):
    """Histogram of radii; its heights are square roots, so that rare radii stay visible."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._counts: RadiusCounts | None = None
        self.setObjectName("RadiusHistogram")
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.setToolTip("Number of pixels with each blur radius (heights on a square-root scale)")
        self.hide()

    def show_counts(self, counts: RadiusCounts) -> None:
        """Show the radii of a map."""
        self._counts = counts
        self.show()
        self.update()

    @property
    def counts(self) -> RadiusCounts | None:
        """Counts that are shown, if any."""
        return self._counts

    def sizeHint(self) -> QSize:
        """Return the preferred size, in pixels."""
        return QSize(220, 92)

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Paint the bars and the axis."""
        if self._counts is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(self.rect()).adjusted(_MARGIN, 2, -_MARGIN, -_AXIS_HEIGHT)
        _paint_bars(painter, area, self._counts)
        _paint_axis(painter, area, self._counts, self.palette())
        painter.end()


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


def _paint_axis(painter: QPainter, area: QRectF, counts: RadiusCounts, palette: QPalette) -> None:
    painter.setPen(palette.color(QPalette.ColorRole.WindowText))
    painter.drawLine(area.bottomLeft(), area.bottomRight())
    low = -counts.limit if counts.signed else 0.0
    strip = QRectF(area.left(), area.bottom() + 2, area.width(), _AXIS_HEIGHT - 2)
    middle = (low + counts.limit) / 2
    ends = Qt.AlignmentFlag
    for value, side, unit in (
        (low, ends.AlignLeft, ""),
        (middle, ends.AlignHCenter, ""),
        (counts.limit, ends.AlignRight, " px"),
    ):
        painter.drawText(strip, side, f"{value:.3g}{unit}")
    for x in (area.left(), area.center().x(), area.right()):
        painter.drawLine(QPointF(x, area.bottom()), QPointF(x, area.bottom() + 3))
