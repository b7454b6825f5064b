"""Opening of regular files alone: a pipe would block, and a device has no end."""

import errno
import os
import stat
from io import BufferedReader, FileIO
from pathlib import Path

_NO_FILE = "it is a pipe or a device, not a file"
_NAMES = ("O_NONBLOCK", "O_NOCTTY", "O_BINARY", "O_CLOEXEC")
_LARGE = 1 << 20  # bytes
# With these a pipe without a writer opens at once, and no terminal takes over the process.
_FLAGS = sum(getattr(os, name, 0) for name in _NAMES)


def open_regular(path: str | os.PathLike[str]) -> BufferedReader:
    """Open a file for reading, unless it is anything but a regular file.

    The open descriptor is tested, so it does not matter if the file is exchanged meanwhile.

    Raises
    ------
    OSError
        If it cannot be opened, or is a folder, a pipe, a socket or a device.

    Examples
    --------
    >>> open_regular(os.devnull)
    Traceback (most recent call last):
    ...
    OSError: [Errno 22] it is a pipe or a device, not a file: '...nul...'
    """
    name = os.fspath(path)
    try:
        descriptor = os.open(name, os.O_RDONLY | _FLAGS)
    except OSError as error:
        if Path(name).is_dir():  # Windows says that it is not permitted
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), name) from error
        if error.errno != errno.ENXIO:
            raise
        raise OSError(errno.EINVAL, _NO_FILE, name) from error  # a socket
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(mode):
        os.close(descriptor)
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), name)
        raise OSError(errno.EINVAL, _NO_FILE, name)
    file = FileIO(descriptor)
    file.name = name
    return _RegularFile(file)


class _RegularFile(BufferedReader):
    """A file that allocates no more than it holds, however much a damaged header asks for."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > _LARGE:
            size = max(0, min(size, os.fstat(self.fileno()).st_size - self.tell()))
        return super().read(size)


def read_regular(path: str | os.PathLike[str], largest: int) -> bytes:
    """Return the content of a regular file.

    Raises
    ------
    OSError
        As `open_regular`, or if it holds more than `largest` bytes.
    """
    with open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size > largest:
            words = f"it holds {size} bytes; up to {largest} are read"
            raise OSError(errno.EFBIG, words, os.fspath(path))
        return file.read(size)  # which allocates as much as it is asked for
