"""Decoders of zarr chunks that allocate no more than a chunk takes."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import imagecodecs
import numpy as np
import zarr
from numcodecs.abc import Codec  # type: ignore[import-untyped]
from zarr.abc.codec import BytesBytesCodec
from zarr.codecs import ShardingCodec

from .limits import is_plausible

_BLOSC_HEADER = 16  # bytes


def _decode_blosc(content: Any, out: int) -> Any:
    """Decompress; the library believes the header, and reads behind the end of what was cut off."""
    if len(content) < _BLOSC_HEADER or int(content[12:16].view("<u4")[0]) != len(content):
        raise ValueError("a chunk is not as long as its header says")
    return imagecodecs.blosc_decode(content, numthreads=1, out=out)


#: Decoders by the names of their codecs, without the prefix of those that come from numcodecs.
_DECODERS: Mapping[str, Callable[..., Any]] = {
    "blosc": _decode_blosc,
    "bz2": imagecodecs.bz2_decode,
    "gzip": imagecodecs.gzip_decode,
    "lz4": lambda content, out: imagecodecs.lz4_decode(content, header=True, out=out),
    "lzma": imagecodecs.lzma_decode,
    "zlib": imagecodecs.zlib_decode,
    "zstd": imagecodecs.zstd_decode,
}
#: Codecs whose output is hardly longer than their input.
_CHECKSUMS = ("crc32c", "crc32", "adler32", "fletcher32", "jenkins_lookup3")
_FILTERS = ("shuffle", "delta", "bitround", "fixedscaleoffset", "quantize")
_HARMLESS = frozenset(("bytes", "transpose", *_CHECKSUMS, *_FILTERS))
_DTYPES = ("dtype", "astype")  # settings of filters; a text of any length is a data type as well
_LARGEST_ITEM = 16
_PREFIX = "numcodecs."
_MOST_CHUNKS = 1 << 18  # in a shard


def with_bounded_decoders(array: Any) -> Any:
    """Return a zarr array whose decoders are told how much they may allocate.

    Raises
    ------
    ValueError
        If it has a codec that is not known to be harmless.
    """
    metadata, itemsize = array.metadata, array.dtype.itemsize
    if metadata.zarr_format == 2:
        size = math.prod(array.chunks) * itemsize
        codecs = [*(metadata.filters or ()), metadata.compressor]
        configs = [{"id": "bytes"} if codec is None else codec.get_config() for codec in codecs]
        bound = _bound([config["id"] for config in configs], size)
        *filters, compressor = (
            codec if codec is None else _bounded(codec, config["id"], config, bound, _DecoderV2)
            for codec, config in zip(codecs, configs, strict=True)
        )
        metadata = replace(metadata, filters=filters or None, compressor=compressor)
    else:
        size = math.prod(array.shards or array.chunks) * itemsize
        metadata = replace(metadata, codecs=_bounded_v3(metadata.codecs, size, itemsize))
    return zarr.Array(zarr.AsyncArray(metadata=metadata, store_path=array.store_path))


def largest_file(array: Any) -> int:
    """Return a length in bytes that no file with pixels of a sound array exceeds."""
    shape = array.shards or array.chunks
    chunks = math.prod(shape) // max(1, math.prod(array.chunks))
    return int(2 * math.prod(shape) * array.dtype.itemsize + 1024 * (64 + chunks))


def _bounded_v3(codecs: Iterable[Any], size: int, itemsize: int, depth: int = 0) -> list[Any]:
    codecs = list(codecs)
    names = ["" if isinstance(codec, ShardingCodec) else _name(codec) for codec in codecs]
    bound, result = _bound(names, size), []
    for name, codec in zip(names, codecs, strict=True):
        if name:
            config = getattr(codec, "codec_config", {})
            result.append(_bounded(codec, name, config, bound, _DecoderV3))
            continue
        chunk = math.prod(codec.chunk_shape) * itemsize
        if depth or size > _MOST_CHUNKS * chunk:
            raise ValueError("it holds shards within shards, or too many chunks in each")
        if not {_name(inner) for inner in codec.index_codecs} <= {"bytes", "crc32c"}:
            raise ValueError("it compresses the indices of its shards")
        inner = _bounded_v3(codec.codecs, chunk, itemsize, depth + 1)
        result.append(replace(codec, codecs=inner))
    return result


def _name(codec: Any) -> str:
    return str(codec.to_dict()["name"]).removeprefix(_PREFIX)


def _bound(names: list[str], size: int) -> int:
    """Return how many bytes a decoder may return: filters may store wider values than an array."""
    simple = {"", "bytes", "transpose"}
    return size if len([name for name in names if name not in simple]) < 2 else 2 * size + 65536


def _bounded(codec: Any, name: str, config: Mapping[str, Any], bound: int, kind: Any) -> Any:
    if name in _DECODERS:
        return kind(name, bound)
    if name not in _HARMLESS:
        raise ValueError(f"its pixels are stored by the codec {name!r}, which is not supported")
    if any(np.dtype(config.get(key)).itemsize > _LARGEST_ITEM for key in _DTYPES):
        raise ValueError(f"the codec {name!r} makes values of more than {_LARGEST_ITEM} bytes")
    return codec


def _decode(name: str, content: Any, size: int) -> Any:
    """Decompress to at most `size` bytes."""
    compressed = np.frombuffer(content, np.uint8)
    if not is_plausible(size, len(compressed)):
        raise ValueError(f"{len(compressed)} bytes claim to hold {size / 2**30:.1f} GiB of pixels")
    return _DECODERS[name](compressed, out=size)


class _DecoderV2(Codec):  # type: ignore[misc] # numcodecs has no types
    """Decoder of version 2 of the zarr format."""

    codec_id = "napari-defocus"

    def __init__(self, name: str, size: int) -> None:
        self._name, self._size = name, size

    def encode(self, buf: Any) -> Any:
        """Raise an error: nothing is written."""
        raise NotImplementedError

    def decode(self, buf: Any, out: Any = None) -> Any:
        """Return the content of a chunk."""
        return _decode(self._name, buf, self._size)


@dataclass(frozen=True)
class _DecoderV3(BytesBytesCodec):
    """Decoder of version 3 of the zarr format."""

    name: str
    size: int
    is_fixed_size = False

    async def _decode_single(self, chunk_bytes: Any, chunk_spec: Any) -> Any:
        content = chunk_bytes.as_numpy_array()
        decoded = await asyncio.to_thread(_decode, self.name, content, self.size)
        return chunk_spec.prototype.buffer.from_bytes(decoded)

    def compute_encoded_size(self, input_byte_length: int, chunk_spec: Any) -> int:
        """Raise an error: nothing is written."""
        raise NotImplementedError
