"""The command ``napari-defocus``."""

import sys

from .process import run_process


def main() -> None:
    """Run the command line; exit with 0, 2 after an error of the user's, or 130 if interrupted.

    Examples
    --------
    >>> import sys
    >>> sys.argv = ["napari-defocus", "--version"]
    >>> main()
    Traceback (most recent call last):
    ...
    SystemExit: 0
    """
    sys.exit(run_process(_run_command))


def _run_command() -> int:
    from .commands import run  # takes half a second, in which Ctrl-C may come

    return run()
