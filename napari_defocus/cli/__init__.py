"""The command ``napari-defocus``."""

import sys
from io import TextIOWrapper

from .commands import app


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
    if isinstance(sys.stdout, TextIOWrapper):  # file names may be invalid Unicode
        sys.stdout.reconfigure(errors="surrogateescape")
    app(prog_name="napari-defocus")
