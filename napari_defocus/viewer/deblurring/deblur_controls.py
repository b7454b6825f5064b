"""Controls for the settings of deblurring, shared by the Deblur and the Batch widget."""

from dataclasses import fields
from typing import Any

from magicgui.widgets import ComboBox, FloatSlider

from ...deblur_settings import DeblurSettings, NumberRange
from ..controls.percent_slider import PercentSlider
from .bokeh_choice import BokehChoice

Control = ComboBox | FloatSlider | BokehChoice | PercentSlider
#: Settings from top to bottom; those that are not named follow.
_FIRST = ("amount", "detail", "bokeh_radius", "protect_radius", "strength")


class DeblurControls:
    """One control for each setting of deblurring that is a number or a choice; models are not."""

    def __init__(self) -> None:
        controls = {
            each.name: _control(each)
            for each in fields(DeblurSettings)
            if each.metadata["accepted"] is not None
        }
        self._controls = {name: controls.pop(name) for name in _FIRST} | controls

    def __getitem__(self, name: str) -> Control:
        return self._controls[name]

    @property
    def bokeh(self) -> BokehChoice:
        """The choice of what is deblurred."""
        control = self._controls["bokeh_radius"]
        assert isinstance(control, BokehChoice)
        return control

    @property
    def amount(self) -> float:
        """The share of the result in the blend with its image."""
        value = self._controls["amount"].value
        assert isinstance(value, float)
        return value

    @property
    def widgets(self) -> list[Control]:
        """The controls, from top to bottom."""
        return list(self._controls.values())

    def settings(self, **models: str) -> DeblurSettings:
        """Return the settings as chosen here, with models chosen elsewhere."""
        values: dict[str, Any] = {name: each.value for name, each in self._controls.items()}
        return DeblurSettings(**values | models)

    def follow_model(self, model: str) -> None:
        """Enable the choice of detail only for the model "auto", the only one that uses it."""
        if model != "auto":
            self["detail"].value = DeblurSettings.detail
        self["detail"].enabled = model == "auto"


def _control(setting: Any) -> Control:
    accepted = setting.metadata["accepted"]
    arguments: dict[str, Any] = {
        "name": setting.name,
        "label": setting.metadata["label"],
        "tooltip": setting.metadata["help"],
    }
    if not isinstance(accepted, NumberRange):
        return ComboBox(value=setting.default, choices=accepted, **arguments)
    if accepted.automatic:
        return BokehChoice(accepted.slider_maximum, **arguments)
    if accepted.percent_base is not None:
        base = accepted.percent_base
        percent = round(100 * (accepted.slider_maximum - base))
        return PercentSlider(setting.default, base=base, maximum=percent, **arguments)
    arguments |= {"min": accepted.minimum, "max": accepted.slider_maximum}
    return FloatSlider(value=setting.default, **arguments)
