"""What the user set under Preferences: on what to compute, and how finely."""

from ..options import Options

PLUGIN = "napari-defocus"


def compute_preferences() -> Options:
    """Read napari's preferences for this plugin.

    Returns
    -------
    Options
        In the preferences, a tile size of 0 stands for "auto" and -1 for one tile. All "auto" if
        the plugin is switched off in napari, so that it has no preferences.

    Raises
    ------
    OptionError
        If what is stored cannot be used.
    """
    from napari.settings import get_plugin_settings

    try:
        stored = get_plugin_settings(PLUGIN).compute
    except KeyError:
        return Options()
    return Options(str(stored.device), str(stored.precision), _tile(int(stored.tile)))


def _tile(stored: int) -> int | str | None:
    if stored == 0:
        return "auto"
    return None if stored < 0 else stored
