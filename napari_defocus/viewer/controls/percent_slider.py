"""Slider in percent for a setting that is a factor."""

from typing import Any

from magicgui.widgets import Container, Slider


class PercentSlider(Container[Any]):
    """Slider that shows by how many percent a factor exceeds a base.

    Parameters
    ----------
    value : float
        The factor.
    base : float
        The factor that is shown as 0 %.
    maximum : int
        Upper end of the slider, in percent; its lower end is 0, until a smaller factor is set.
    """

    def __init__(
        self, value: float, *, base: float = 0.0, maximum: int = 100, **kwargs: Any
    ) -> None:
        self._base = base
        self.slider = Slider(name="percent", min=0, max=maximum)
        self.slider.changed.connect(self._take_percent)  # before the container tells of it
        super().__init__(widgets=[self.slider], labels=False, **kwargs)
        self.margins = (0, 0, 0, 0)
        self.value = value

    @property
    def value(self) -> float:
        """The factor; can be set to any, also between two percents."""
        return self._value

    @value.setter
    def value(self, factor: float) -> None:
        percent = round(100 * (factor - self._base))
        self.slider.min = min(self.slider.min, percent)
        self.slider.max = max(self.slider.max, percent)
        with self.slider.changed.blocked():
            self.slider.value = percent
        self._value = float(factor)
        self.changed.emit(self)

    def _take_percent(self, percent: int) -> None:
        self._value = (round(100 * self._base) + percent) / 100
