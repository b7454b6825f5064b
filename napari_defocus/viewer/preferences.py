"""What the user set under Preferences: on what to compute, and how finely."""

from ..inference.device import Compute

PLUGIN = "napari-defocus"


def compute_preferences() -> Compute:
    """Read napari's preferences for this plugin.

    Returns
    -------
    Compute
        In the preferences, a tile size of 0 stands for "auto" and -1 for one tile.

    Raises
    ------
    OptionError
        If what is stored cannot be used.
    KeyError
        If napari does not know the plugin.
    """
    from napari.settings import get_plugin_settings

    stored = get_plugin_settings(PLUGIN).compute
    return Compute(str(stored.device), str(stored.precision), _tile(int(stored.tile)))


def _tile(stored: int) -> int | str | None:
    if stored == 0:
        return "auto"
    return None if stored < 0 else stored
