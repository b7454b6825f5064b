"""Commands where all is missing that only POSIX has."""

import subprocess
import sys

import numpy as np
from PIL import Image

# What Windows lacks: modules, and names within `os` and `signal`.
MODULES = ["fcntl", "grp", "posix", "pty", "pwd", "resource", "syslog", "termios", "tty"]
NAMES = """
O_CLOEXEC O_DIRECTORY O_NOCTTY O_NOFOLLOW O_NONBLOCK chown fork forkpty fstatvfs getegid geteuid
getgid getpgid getuid killpg lchown major minor mkfifo mknod nice pathconf posix_fadvise
posix_fallocate pread preadv pwrite pwritev register_at_fork sched_getaffinity sched_setaffinity
sendfile setsid statvfs sync sysconf uname wait4
SIGALRM SIGBUS SIGCHLD SIGHUP SIGKILL SIGPIPE SIGQUIT SIGUSR1 SIGUSR2 alarm pthread_kill
pthread_sigmask setitimer sigpending sigtimedwait sigwait
"""
# Other packages have their own ways on Windows: they are loaded before, and keep what they have.
CODE = f"""
import ctypes, importlib, os, pkgutil, signal, sys, types
import dask.array, filelock, imagecodecs, multiprocessing.resource_tracker, PIL.Image, rich.table
import safetensors.torch, scipy.ndimage, skimage.measure, tifffile, torch, typer, zarr

complete = dict(os=os, signal=signal)
for name, module in complete.items():
    sys.modules[name] = types.ModuleType(name)
    vars(sys.modules[name]).update(vars(module))
    for lacking in {NAMES!r}.split():
        vars(sys.modules[name]).pop(lacking, None)
sys.modules.update(dict.fromkeys({MODULES!r}))
sys.platform = "another"

import napari_defocus
from napari_defocus.cli import main
for part in pkgutil.walk_packages(napari_defocus.__path__, "napari_defocus."):
    if not part.name.startswith("napari_defocus.viewer"):
        importlib.import_module(part.name)
sys.modules.update(complete)
for words in (
    ["deblur", "photo.png"],
    ["batch", "photo.png", "results", "--task", "map"],
):
    sys.argv = ["napari-defocus", *words]
    try:
        main()
    except SystemExit as end:
        assert not end.code, words
"""


def test_commands_run_without_what_only_posix_has(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 255, (32, 32, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "photo.png")
    done = subprocess.run(
        [sys.executable, "-c", CODE], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    names = {path.name for path in tmp_path.rglob("*")}
    assert {"photo-deblurred.png", "photo-deblurred.png.json", "report.html"} <= names
    assert not [name for name in names if name.endswith(".part")]
