"""Pack of photographs: copies small enough to travel to a machine with a GPU."""

import io
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from training.data.held_out import split
from training.data.images import image_files, read_colors, readable
from training.errors import TrainingError

#: Folders of a pack: photographs to train on, and those kept for evaluation.
TRAINING, HELD_OUT = "training", "held-out"
#: Qualities of JPEG that are tried, best first, and every how many photographs are measured.
_QUALITIES = (95, 92, 88, 84, 80, 75, 70)
_EVERY = 8


def write_photo_pack(out: Path, folders: Sequence[Path], megabytes: float) -> int:
    """Write the photographs of folders as JPEG, as good as fits.

    Parameters
    ----------
    out : Path
        Folder of the pack, which is made.
    folders : sequence of Path
        Folders of photographs.
    megabytes : float
        Size that the pack may have, in 10^6 bytes.

    Returns
    -------
    int
        The quality of JPEG.

    Raises
    ------
    TrainingError
        If there are no photographs, or if they do not fit.
    """
    paths = [path for folder in folders for path in image_files(folder)]
    if not paths:
        raise TrainingError(f"{', '.join(map(str, folders))}: no photographs (.png, .jpg, ...)")
    sample = paths[::_EVERY]
    share = sum(path.stat().st_size for path in paths) / sum(p.stat().st_size for p in sample)
    pictures = list(readable(sample, _picture, []))
    sizes = {
        quality: share * sum(len(_jpeg(picture, quality)) for picture in pictures) / 1e6
        for quality in _QUALITIES
    }
    quality = next((q for q, size in sizes.items() if 1.05 * size <= megabytes), None)
    if quality is None:
        raise TrainingError(
            f"the photographs take {sizes[_QUALITIES[-1]]:.0f} MB as JPEG of quality "
            f"{_QUALITIES[-1]}; give --megabytes that much, or fewer photographs"
        )
    for name, held_out in ((TRAINING, False), (HELD_OUT, True)):
        (out / name).mkdir(parents=True, exist_ok=True)
        for path in split(paths, held_out=held_out):
            for picture in readable([path], _picture, []):
                target = out / name / f"{path.parent.name}-{path.stem}.jpg"
                target.write_bytes(_jpeg(picture, quality))
    return quality


def _picture(path: Path) -> Image.Image:
    pixels = read_colors(path)
    return Image.fromarray(pixels if pixels.dtype.itemsize == 1 else (pixels >> 8).astype("uint8"))


def _jpeg(picture: Image.Image, quality: int) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=quality, subsampling=0, optimize=True)
    return buffer.getvalue()
