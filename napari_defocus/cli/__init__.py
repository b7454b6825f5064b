"""The command ``napari-defocus``: `main` is its entry point."""

import sys
from io import TextIOWrapper

from .commands import app


def main() -> None:
    """Run the command line; the exit status is 0, 2 for what the user can mend, 130 if cancelled.

    Examples
    --------
    >>> import sys
    >>> sys.argv = ["napari-defocus", "--version"]
    >>> main()
    Traceback (most recent call last):
    ...
    SystemExit: 0
    """
    if isinstance(sys.stdout, TextIOWrapper):  # names of files may be no Unicode
        sys.stdout.reconfigure(errors="surrogateescape")
    app(prog_name="napari-defocus")
