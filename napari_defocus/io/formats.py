"""Registry of file formats: names, suffixes, first bytes, and the functions that read and write."""

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from ..errors import FileError, OptionError, reason
from .regular_file import open_regular
from .zarr_layout import is_zarr_folder, store_part

StrPath = str | os.PathLike[str]
#: Bytes at the beginning of a file that signatures are compared with.
_HEAD = 64
# fmt: off
_RAW_SUFFIXES = (
    ".arw", ".cr2", ".cr3", ".crw", ".dng", ".erf", ".mef", ".mrw", ".nef", ".nrw", ".orf", ".pef",
    ".raf", ".raw", ".rw2", ".srw", ".x3f",
)
# fmt: on
_TIFF = rb"II\*\0|MM\0\*|II\+\0|MM\0\+"


class UnknownKindError(FileError):
    """A file whose content and suffix are those of no format."""


@dataclass(frozen=True)
class FileFormat:
    """A format of image files. Its functions are named ``module:function``, imported when used.

    Parameters
    ----------
    name : str
        Name of the format in messages.
    suffixes : tuple of str
        Suffixes of its files, in lower case.
    reader : str
        Function from a path, and the keywords in `reader_options`, to a `Picture`.
    signature : bytes, optional
        Regular expression of the first bytes. Without one, the suffix alone decides.
    suffix_decides : bool
        Other formats begin with the same bytes, so that the suffix is needed as well.
    packages : tuple of str
        Modules beyond the core's dependencies that must be installed.
    extra : str
        Extra of napari-defocus that installs them.
    reader_options : tuple of str
        Keywords that the reader takes: ``lazy_from``, of `open_picture`, if it can leave the pixels
        in the file; ``series``, the number of an image or None, if files hold several;
        ``region``, the text of a region or None, if a part can be read alone.
    writer : str
        Function of an open binary file, a `Picture` and the path, if it is written to a file.
    checker : str
        Function of a `Picture` and the path that refuses what the format cannot hold.
    is_folder : bool
        Its files are folders, which :mod:`napari_defocus.io.streaming` writes.
    is_streamed : bool
        It is written window by window.
    holds_floats : bool
        Maps, which are real numbers, can be written.
    holds_series : bool
        A file may hold several images of equal rank, all of which a batch takes.
    """

    name: str
    suffixes: tuple[str, ...]
    reader: str
    signature: bytes | None = None
    suffix_decides: bool = False
    packages: tuple[str, ...] = ()
    extra: str = ""
    reader_options: tuple[str, ...] = ()
    writer: str = ""
    checker: str = ""
    is_folder: bool = False
    is_streamed: bool = False
    holds_floats: bool = False
    holds_series: bool = False

    @property
    def is_written(self) -> bool:
        """Whether images are written in this format, too."""
        return self.is_folder or bool(self.writer)

    def is_installed(self) -> bool:
        """Return whether all packages that the format needs are installed."""
        return all(find_spec(name) for name in self.packages)

    def check_installed(self, path: Path) -> None:
        """Raise an OptionError that names the extra to install, if a package is missing."""
        if not self.is_installed():
            raise OptionError(
                f"{path} is a {self.name} file; reading it needs more: "
                f'pip install "napari-defocus[{self.extra}]"'
            )

    def begins(self, head: bytes) -> bool:
        """Return whether the first bytes of a file are those of the format, or cannot tell."""
        return self.signature is None or bool(re.match(self.signature, head, re.DOTALL))


#: All formats, in the order in which messages list them.
FORMATS = (
    FileFormat(
        "TIFF",
        (".tif", ".tiff"),
        "tiff_read:read_tiff",
        _TIFF,
        reader_options=("lazy_from", "series"),
        writer="tiff_write:write_tiff",
        is_streamed=True,
        holds_floats=True,
    ),
    FileFormat(
        "PNG",
        (".png",),
        "png:read_png",
        rb"\x89PNG\r\n\x1a\n",
        writer="png:write_png",
        checker="png:check_png",
    ),
    FileFormat(
        "JPEG",
        (".jpg", ".jpeg"),
        "jpeg:read_jpeg",
        rb"\xff\xd8\xff",
        writer="jpeg:write_jpeg",
        checker="jpeg:check_jpeg",
    ),
    FileFormat(
        "JPEG XL",
        (".jxl",),
        "jpegxl:read_jpegxl",
        rb"\xff\x0a|\0\0\0\x0cJXL \r\n\x87\n",
        writer="jpegxl:write_jpegxl",
        checker="jpegxl:check_jpegxl",
    ),
    FileFormat(
        "AVIF",
        (".avif",),
        "avif:read_avif",
        rb"....ftyp(avi[fs]|m[is]f1(.{4})+?avi[fs])",
        writer="avif:write_avif",
        checker="avif:check_avif",
    ),
    FileFormat(
        "HEIC",
        (".heic", ".heif", ".hif"),
        "heic:read_heic",
        rb"....ftyp(hei[cmsx]|hev[cmsx]|m[is]f1)",
        packages=("pillow_heif",),
        extra="heic",
    ),
    FileFormat(
        "slide",
        (".svs", ".ndpi", ".scn", ".bif"),
        "slides:read_slide",
        _TIFF,
        suffix_decides=True,
        packages=("tiffslide", "zarr"),
        extra="formats",
        reader_options=("lazy_from", "series", "region"),
    ),
    FileFormat(
        "WebP",
        (".webp",),
        "webp_bmp_gif:read_webp",
        b"RIFF....WEBP",
        writer="webp_write:write_webp",
        checker="webp_write:check_webp",
    ),
    FileFormat("BMP", (".bmp", ".dib"), "webp_bmp_gif:read_bmp", b"BM.{12}[\x0c-\x7c]\0\0\0"),
    FileFormat("GIF", (".gif",), "webp_bmp_gif:read_gif", b"GIF8[79]a"),
    FileFormat("JPEG XR", (".jxr", ".wdp", ".hdp"), "jpegxr:read_jpegxr", b"II\xbc[\0\1]"),
    FileFormat(
        "JPEG 2000",
        (".jp2", ".j2k", ".jpx", ".j2c", ".jpf"),
        "jpeg2000:read_jpeg2000",
        rb"\0\0\0\x0cjP  \r\n\x87\n|\xff\x4f\xff\x51",
    ),
    FileFormat(
        "zarr",
        (".zarr",),
        "zarr_read:read_zarr",
        packages=("zarr",),
        extra="zarr",
        checker="streaming:check_zarr",
        is_folder=True,
        is_streamed=True,
        holds_floats=True,
    ),
    FileFormat(
        "CZI",
        (".czi",),
        "microscopy.czi:read_czi",
        b"ZISRAWFILE",
        packages=("czifile",),
        extra="formats",
        reader_options=("lazy_from", "series"),
        holds_series=True,
    ),
    FileFormat(
        "Imaris",
        (".ims",),
        "microscopy.ims:read_ims",
        rb"\x89HDF\r\n\x1a\n",
        suffix_decides=True,
        packages=("h5py",),
        extra="formats",
        reader_options=("lazy_from",),
    ),
    FileFormat(
        "ND2",
        (".nd2",),
        "microscopy.nd2:read_nd2",
        rb"\xda\xce\xbe\x0a",
        packages=("nd2",),
        extra="formats",
        reader_options=("lazy_from", "series"),
        holds_series=True,
    ),
    FileFormat(
        "LIF",
        (".lif", ".lof"),
        "microscopy.lif:read_lif",
        rb"\x70\0\0\0....\x2a",
        packages=("liffile",),
        extra="formats",
        reader_options=("lazy_from", "series"),
        holds_series=True,
    ),
    FileFormat(
        "OIB",
        (".oib",),
        "microscopy.oif:read_oif",
        rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        suffix_decides=True,
        packages=("oiffile",),
        extra="formats",
        reader_options=("lazy_from",),
    ),
    FileFormat(
        "OIF",
        (".oif",),
        "microscopy.oif:read_oif",
        rb"\xff\xfe\[\0|\[",
        suffix_decides=True,
        packages=("oiffile",),
        extra="formats",
        reader_options=("lazy_from",),
    ),
    FileFormat(
        "LSM",
        (".lsm",),
        "microscopy.lsm:read_lsm",
        _TIFF,
        suffix_decides=True,
        reader_options=("lazy_from",),
    ),
    FileFormat(
        "OME-XML companion",
        (".ome",),
        "tiff_read:read_companion",
        rb"(\xef\xbb\xbf)?\s*<(\?xml|OME)",
        suffix_decides=True,
        reader_options=("lazy_from",),
    ),
    FileFormat("camera raw", _RAW_SUFFIXES, "raw:read_raw", packages=("rawpy",), extra="raw"),
)
#: Formats that are written, by suffix.
WRITABLE = {suffix: each for each in FORMATS if each.is_written for suffix in each.suffixes}


def detect_format(path: Path) -> FileFormat:
    """Return the format of a file by its first bytes, and by its suffix where these do not tell.

    Raises
    ------
    FileError
        If the path is missing, empty, cannot be opened, is a folder other than a zarr store, or
        holds no format that can be read.
    """
    try:
        if path.is_dir():
            if is_zarr_folder(path):
                return WRITABLE[".zarr"]
            os.scandir(path).close()  # it may be a folder that cannot be read
            raise FileError(f"{path} is a folder; give the name of an image file or a zarr store")
        with open_regular(path) as file:
            head = file.read(_HEAD)
    except FileError:
        raise
    except (OSError, ValueError) as error:
        raise FileError(f"{path} cannot be read: {reason(error)}") from error
    if not head:
        raise FileError(f"{path} is empty; {_list_readable()}")
    suffix = path.suffix.lower()
    alike = [each for each in FORMATS if not each.is_folder and each.begins(head)]
    by_suffix = [each for each in alike if suffix in each.suffixes]
    by_content = [each for each in alike if each.signature and not each.suffix_decides]
    for each in (*by_suffix, *by_content):
        return each
    raise UnknownKindError(f"{path} is not an image of a known kind; {_list_readable()}")


def target_format(path: Path) -> FileFormat:
    """Return the format in which a file of this name, or an image in a zarr store, is written.

    Raises
    ------
    FileError
        If no format that can be written has this suffix.
    """
    is_member = not path.suffix and store_part(path) is not None
    file_format = WRITABLE.get(".zarr" if is_member else path.suffix.lower())
    if file_format is None:
        suffix = f"the suffix {path.suffix!r}" if path.suffix else "no suffix"
        raise FileError(f"{path} has {suffix}; it should be one of {', '.join(WRITABLE)}")
    return file_format


def import_function(name: str) -> Callable[..., Any]:
    """Import a function that a format names ``module:function``."""
    module, function = name.split(":")
    imported: Callable[..., Any] = getattr(import_module(f".{module}", __package__), function)
    return imported


def readable_suffixes() -> tuple[str, ...]:
    """Return the suffixes of all files that can be read with the packages that are installed.

    Zarr stores are among them always: without zarr, they are refused with what to install.
    """
    formats = [each for each in FORMATS if each.is_written or each.is_installed()]
    return tuple(suffix for each in formats for suffix in each.suffixes)


def _list_readable() -> str:
    """Return the names of formats that can be read, and the extras that add others."""
    *first, last = [each.name for each in FORMATS if each.is_installed()]
    sentence = f"{', '.join(first)} and {last} files can be read"
    missing = [each for each in FORMATS if not each.is_installed()]
    extras = [
        f"{', '.join(each.name for each in missing if each.extra == extra)} with "
        f"napari-defocus[{extra}]"
        for extra in dict.fromkeys(each.extra for each in missing)
    ]
    return "; ".join([sentence, *extras])
