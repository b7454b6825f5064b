"""The command ``napari-defocus``: `main` is its entry point."""

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
    app(prog_name="napari-defocus")
