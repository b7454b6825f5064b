"""Command lines that can be pasted into the shell of this system."""

import os
import shlex
import subprocess
from collections.abc import Sequence


def join_words(words: Sequence[str], *, windows: bool = os.name == "nt") -> str:
    """Return a command line, with quotes as the shells of Windows or of other systems read them.

    Examples
    --------
    >>> join_words(["napari-defocus", "info", "my photo.jpg"], windows=False)
    "napari-defocus info 'my photo.jpg'"
    >>> join_words(["napari-defocus", "info", "my photo.jpg"], windows=True)
    'napari-defocus info "my photo.jpg"'
    """
    return subprocess.list2cmdline(words) if windows else shlex.join(words)
