"""Words for settings of deblurring, in names of results."""

from pathlib import Path

from ...deblur_settings import DeblurSettings


def setting_words(settings: DeblurSettings) -> tuple[str, ...]:
    """Return what tells a result from one with usual settings.

    Whether the background is left alone follows from the kind of image, so it is not named.

    Examples
    --------
    >>> setting_words(DeblurSettings(detail="natural", amount=0.8))
    ('natural', '80 %')
    >>> setting_words(DeblurSettings(bokeh_radius=6))
    ('up to 6 px',)
    """
    bokeh = settings.bokeh_radius
    words = {
        "detail": settings.detail,
        "amount": f"{settings.amount:.0%}".replace("%", " %"),
        "strength": f"boost {settings.strength - 1:.0%}".replace("%", " %"),
        "protect_radius": f"from {settings.protect_radius:.3g} px",
        "bokeh_radius": "" if isinstance(bokeh, str) else f"up to {bokeh:.3g} px",
        "model": Path(str(settings.model)).name,
        "map_model": "",
    }
    changed = settings.changed()
    return tuple(word for name, word in words.items() if name in changed and word)
