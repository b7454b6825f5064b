"""The plugin's page in napari's preferences: device, precision and tile size."""

from ...options import Options

PLUGIN = "napari-defocus"


def compute_preferences() -> Options:
    """Return the user's preferences for this plugin.

    Returns
    -------
    Options
        The stored tile size 0 stands for "auto", -1 for one tile. All "auto" if the plugin is
        disabled in napari and so has no preferences.

    Raises
    ------
    OptionError
        If a stored value cannot be used.
    """
    from napari.settings import get_plugin_settings

    try:
        stored = get_plugin_settings(PLUGIN).compute
    except KeyError:
        return Options()
    return Options(
        device=str(stored.device), precision=str(stored.precision), tile=_tile(int(stored.tile))
    )


def _tile(stored: int) -> int | str | None:
    if stored == 0:
        return "auto"
    return None if stored < 0 else stored
