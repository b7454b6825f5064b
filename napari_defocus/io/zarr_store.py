"""Zarr store in a folder, which reads files of limited length within that folder alone."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from zarr.abc.store import OffsetByteRequest, RangeByteRequest, SuffixByteRequest
from zarr.core.buffer import default_buffer_prototype
from zarr.storage import LocalStore

from .json_file import LARGEST, check_json
from .regular_file import open_regular

if TYPE_CHECKING:
    from zarr.abc.store import ByteRequest
    from zarr.core.buffer import Buffer, BufferPrototype

_METADATA = ("zarr.json", ".zarray", ".zgroup", ".zattrs", ".zmetadata")


class BoundedStore(LocalStore):
    """A folder for reading.

    Parameters
    ----------
    root : pathlib.Path
        The folder.
    read_only : bool
        Nothing can be written.

    Attributes
    ----------
    largest_chunk : int
        Bytes of the largest file that holds pixels.
    """

    def __init__(self, root: Path, *, read_only: bool = True) -> None:
        super().__init__(root, read_only=read_only)
        self.largest_chunk = 0
        self._real_root = root.resolve()

    async def get(
        self,
        key: str,
        prototype: BufferPrototype | None = None,
        byte_range: ByteRequest | None = None,
    ) -> Buffer | None:
        """Return the content of a file, None if there is none.

        Raises
        ------
        OSError
            If it is a pipe or a device.
        ValueError
            If it lies outside the folder, is too long, or holds too many values of JSON.
        """
        content = await asyncio.to_thread(self._read, key, byte_range)
        buffer = (prototype or default_buffer_prototype()).buffer
        return None if content is None else buffer.from_bytes(content)

    def _read(self, key: str, byte_range: ByteRequest | None) -> bytes | None:
        path = self.root / key
        is_metadata = path.name in _METADATA
        try:
            with open_regular(path) as file:
                if not path.resolve().is_relative_to(self._real_root):
                    raise ValueError(f"{key} is a link out of the store, and is not followed")
                size = _seek(file, byte_range)
                if size > (LARGEST if is_metadata else self.largest_chunk):
                    raise ValueError(f"{key} holds {size} bytes, more than it should")
                content = file.read(size)
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            return None
        if is_metadata:
            check_json(content)
        return content


def _seek(file: BinaryIO, byte_range: ByteRequest | None) -> int:
    """Go to the first byte of a part of a file, and return the length of the part."""
    start, stop = 0, file.seek(0, os.SEEK_END)
    if isinstance(byte_range, RangeByteRequest):
        start, stop = byte_range.start, min(stop, byte_range.end)
    elif isinstance(byte_range, OffsetByteRequest):
        start = byte_range.offset
    elif isinstance(byte_range, SuffixByteRequest):
        start = max(0, stop - byte_range.suffix)
    file.seek(start)
    return max(0, stop - start)
