"""Reading of Zeiss LSM files, which are TIFF with a description of their own, with tifffile."""

from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..picture import Length, Metadata, ObjectiveLens, Picture
from ..tiff_open import gather_complaints, open_tiff
from ..tiff_read import read_tiff
from .description import positive_number

_KIND_OF_TWELVE_BITS, _TWELVE_BITS = 2, 4095.0


def read_lsm(path: Path, *, lazy_from: float) -> Picture:
    """Read the image without its thumbnails.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    lazy_from : float
        As for `read_tiff`.

    Raises
    ------
    FileError
        As `read_tiff`.
    """
    picture = read_tiff(path, lazy_from)
    sizes = dict(zip(picture.axes, picture.data.shape, strict=True))
    metadata = replace(picture.metadata, **_description(path, sizes))
    return replace(picture, metadata=metadata, ignored="")


def _description(path: Path, sizes: dict[str, int]) -> dict[str, Any]:
    """Return the fields of `Metadata` that the file describes, as far as they can be understood."""
    with suppress(Exception), gather_complaints(), open_tiff(path) as tiff:
        return _fields(tiff.lsm_metadata or {}, sizes)
    return {}


def _fields(lsm: dict[str, Any], sizes: dict[str, int]) -> dict[str, Any]:
    lengths = {}
    for axis in "XYZ":
        size = positive_number(1e6 * lsm.get(f"VoxelSize{axis}", 0))
        if size:
            lengths[axis] = Length(float(f"{size:.9g}"), "µm")
    frames = sizes.get("T", 1)
    stamps = [float(stamp) for stamp in lsm.get("TimeStamps", ())]
    times = tuple(stamp - stamps[0] for stamp in stamps) if len(stamps) == frames > 1 else ()
    interval = positive_number(times[-1] / (frames - 1)) if times else None
    interval = interval or positive_number(lsm.get("TimeIntervall", 0))
    if interval and frames > 1:
        lengths["T"] = Length(float(f"{interval:.9g}"), "s")
    names = tuple(str(name) for name in lsm.get("ChannelColors", {}).get("ColorNames", ()))
    fits = len(names) == sizes.get("C", 1) and any(names)
    white = {"white": _TWELVE_BITS} if lsm.get("DataType") == _KIND_OF_TWELVE_BITS else {}
    return {
        "pixel_size": lengths,
        "times": times,
        "channel_names": names if fits else Metadata.channel_names,
        **white,
        "objective": _objective(str(lsm.get("ScanInformation", {}).get("Objective", ""))),
    }


def _objective(name: str) -> ObjectiveLens | None:
    """Return the objective of a name such as ``Plan-Apochromat 63x/1.40 Oil DIC M27``."""
    for word, after in zip(name.split(), [*name.split()[1:], ""], strict=True):
        magnification, slash, aperture = word.partition("/")
        if slash and magnification.lower().endswith("x"):
            immersion = after if after in ("Oil", "W", "Water", "Imm", "Glyc") else ""
            lens = positive_number(aperture), positive_number(magnification[:-1])
            return ObjectiveLens(*lens, {"W": "Water"}.get(immersion, immersion))
    return None
