"""Choice of what is deblurred: everything, the subject, or radii up to a limit."""

from typing import Any, Literal, get_args

from magicgui.widgets import ComboBox, Container, FloatSpinBox
from qtpy.QtWidgets import QAbstractSpinBox, QSizePolicy

Scope = Literal["everything", "subject", "up to"]
_EVERYTHING, _SUBJECT, _OWN = get_args(Scope)


class BokehChoice(Container[Any]):
    """Drop-down list of what is deblurred; beside it, the radius that *up to* stands before.

    Both share a row, so that nothing below them moves when the radius appears.

    Parameters
    ----------
    maximum : float
        Largest radius that can be typed, in pixels; larger ones can be set.
    """

    def __init__(self, maximum: float, **kwargs: Any) -> None:
        self.scope = ComboBox(name="scope", choices=get_args(Scope), value=_EVERYTHING)
        self.radius = FloatSpinBox(
            name="radius",
            value=maximum / 2,
            min=0.1,
            max=maximum,
            step=0.1,
            tooltip="Radius in pixels from which on nothing is changed",
        )
        self.radius.native.setSuffix(" px")
        self.radius.native.setButtonSymbols(QAbstractSpinBox.ButtonSymbols.NoButtons)
        self.radius.native.setSizePolicy(
            QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Ignored
        )  # as high as the list beside it
        super().__init__(
            widgets=[self.scope, self.radius], layout="horizontal", labels=False, **kwargs
        )
        self.margins = (0, 0, 0, 0)
        self.scope.changed.connect(self._show_radius)
        self._show_radius()
        self._preset = True

    @property
    def value(self) -> float | str:
        """The setting `bokeh_radius`: 0, "auto" or a radius in pixels; can be set to each."""
        if self.scope.value == _OWN:
            return float(self.radius.value)
        return "auto" if self.scope.value == _SUBJECT else 0.0

    @value.setter
    def value(self, setting: float | str) -> None:
        self._preset = False
        self._set(setting)

    def preset(self, setting: float | str) -> None:
        """Set the value, unless it was set or chosen before."""
        if self._preset:
            self._set(setting)
            self._preset = True

    def _set(self, setting: float | str) -> None:
        if isinstance(setting, str):
            self.scope.value = _SUBJECT
        elif setting == 0:
            self.scope.value = _EVERYTHING
        else:
            self.radius.max = max(self.radius.max, setting)
            self.radius.value = setting
            self.scope.value = _OWN

    def _show_radius(self, *_: Any) -> None:
        self._preset = False
        self.radius.visible = self.scope.value == _OWN
