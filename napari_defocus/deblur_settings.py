"""Settings of deblurring, with all that command line, batch and widgets have to know of them."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

from .errors import OptionError, quote
from .options import check_number

#: How much detail deblurring may infer; the first is the default.
DETAILS = ("faithful", "natural")


@dataclass(frozen=True)
class NumberRange:
    """Numbers that a setting accepts.

    Parameters
    ----------
    minimum, maximum : float
        Limits.
    slider_maximum : float
        Upper end of the setting's slider.
    unit : str
        Unit of the numbers, empty if they have none.
    automatic : bool
        Whether "auto" is accepted too.
    percent_base : float, optional
        The number that a slider in percent shows as 0 %; without it, sliders show the number.
    """

    minimum: float
    maximum: float
    slider_maximum: float
    unit: str = ""
    automatic: bool = False
    percent_base: float | None = None

    def check(self, name: str, value: Any) -> float | str:
        """Return the value as float or "auto"; an OptionError unless the setting accepts it."""
        accepted = f"a number from {self.minimum:g} to {self.maximum:g}"
        if self.automatic:
            if isinstance(value, str) and value == "auto":
                return value
            accepted += ', or "auto",'
        return check_number(name, value, accepted, self.minimum, self.maximum)


def _described(label: str, text: str, accepted: Any = None) -> dict[str, Any]:
    return {"label": label, "help": text, "accepted": accepted}


@dataclass(frozen=True)
class DeblurSettings:
    """How much deblurring changes, and the models that it uses.

    Parameters
    ----------
    strength, protect_radius, bokeh_radius, amount, detail, model, map_model
        As in :func:`napari_defocus.deblur`.

    Raises
    ------
    OptionError
        If `strength`, `protect_radius`, `bokeh_radius`, `amount` or `detail` is not accepted.
        Models are checked when they are looked for.

    See Also
    --------
    deblur : takes the settings one by one
    DeblurJob : takes them together

    Notes
    -----
    A field's metadata hold its ``"label"``, its ``"help"`` and what is ``"accepted"``: a
    `NumberRange`, a tuple of texts, or None, which is checked later. Command line and widgets make
    their options and controls from them. How accurate results are: see :func:`deblur`.

    Examples
    --------
    >>> DeblurSettings(strength=0.5).changed()
    {'strength': 0.5}
    >>> DeblurSettings(strength=3)
    Traceback (most recent call last):
    ...
    napari_defocus.errors.OptionError: strength is 3; a number from 0 to 2 is expected
    """

    strength: float = field(
        default=1.0,
        metadata=_described(
            "boost (%)",
            "Factor of the change: 0 leaves the image unchanged, 1 is the network's result, up to "
            "2 exaggerates it.",
            NumberRange(0, 2, slider_maximum=2, percent_base=1),
        ),
    )
    protect_radius: float = field(
        default=0.5,
        metadata=_described(
            "protect below (px)",
            "Leave pixels with radii up to this many pixels unchanged; 0 deblurs all pixels.",
            NumberRange(0, 10_000, slider_maximum=4, unit="px"),
        ),
    )
    bokeh_radius: float | str = field(
        default=0.0,
        metadata=_described(
            "deblur",
            "Leave pixels with radii from this many pixels on unchanged, as the blurred background "
            "of a portrait; 0 deblurs them too. auto: the radius that divides subject and "
            "background, if there are two.",
            NumberRange(0, 10_000, slider_maximum=24, unit="px", automatic=True),
        ),
    )
    amount: float = field(
        default=1.0,
        metadata=_described(
            "amount (%)",
            "Share of the result in a blend with the image: 0 is the image, 1 the result. It is "
            "applied last, to the values of both; strength scales the change before.",
            NumberRange(0, 1, slider_maximum=1, percent_base=0),
        ),
    )
    detail: str = field(
        default=DETAILS[0],
        metadata=_described(
            "look",
            "For the model auto. faithful: restore only what the image still shows, for measuring; "
            "natural: add fine detail that is likely rather than certain.",
            DETAILS,
        ),
    )
    model: Any = field(
        default="auto",
        metadata=_described(
            "deblur model", "auto, a name from the list of models, or your own weights file."
        ),
    )
    map_model: Any = field(
        default="auto",
        metadata=_described("map model", "Model that estimates radii; as for the deblur model."),
    )

    def __post_init__(self) -> None:
        for each in fields(self):
            value, accepted = getattr(self, each.name), each.metadata["accepted"]
            if isinstance(accepted, NumberRange):
                object.__setattr__(self, each.name, accepted.check(each.name, value))
            elif accepted and not (isinstance(value, str) and value in accepted):
                raise OptionError(
                    f"{each.name} is {quote(value)}; accepted are {', '.join(accepted)}"
                )

    @property
    def changes(self) -> bool:
        """Whether anything of an image is changed."""
        return self.strength > 0 and self.amount > 0

    def changed(self) -> dict[str, Any]:
        """Return the settings that differ from their defaults, by name."""
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        return {name: value for name, value in values.items() if value != getattr(type(self), name)}
