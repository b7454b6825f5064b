"""Sample *Missed focus*: how it was made, and how much of the bird deblurring brings back.

``python docs/missed_focus.py make PHOTOGRAPH`` renders the sample from perched-osprey.jpg of the
budgie-backgrounds collection, of 1460 x 820 px, which no network was trained on.
``python docs/missed_focus.py`` prints and draws what documentation shows of it.
"""

import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from picture_sources import record
from PIL import Image

from napari_defocus import deblur, estimate_defocus
from napari_defocus.image.encoding import decode, encode
from napari_defocus.optics.kernels import disk
from napari_defocus.optics.reblur import interpolated_reblur
from napari_defocus.viewer.files.samples import FOLDER, OSPREY_HEAD, missed_focus

PICTURE = Path(__file__).resolve().parent / "pictures" / "missed-focus.jpg"
#: Part of the photograph: left, top, right, bottom; and what is blurred around it, in pixels.
_PART, _MARGIN = (400, 100, 1360, 740), 8
#: Blur radius of the bird in pixels, and columns between which it falls to 0.
_RADIUS, _SOFT, _SHARP = 3, 300, 560
#: Standard deviation of the noise, as a share of white.
_NOISE = 0.004
#: The eye within the head: rows and columns.
_EYE = np.s_[42:74, 84:120]
#: Background between bird and branch, and the branch in focus: rows and columns.
_BOKEH, _BRANCH = np.s_[20:300, 290:420], np.s_[40:440, 600:900]


def main() -> None:
    if sys.argv[1:2] == ["make"]:
        make(Path(sys.argv[2]))
    else:
        draw(measure(), PICTURE)
        record(PICTURE)


def make(photograph: Path) -> None:
    """Blur the photograph as a lens does that is focused on the near end of the branch."""
    left, top, right, bottom = _PART
    with Image.open(photograph) as picture:
        around = (left - _MARGIN, top - _MARGIN, right + _MARGIN, bottom + _MARGIN)
        sharp = np.asarray(picture.convert("RGB").crop(around))
    light = torch.from_numpy(decode(sharp.astype(np.float32) / 255)).permute(2, 0, 1)[None]
    columns = torch.arange(light.shape[-1], dtype=torch.float32) - _MARGIN
    radius = _RADIUS * ((_SHARP - columns) / (_SHARP - _SOFT)).clamp(0, 1)
    kernels = torch.stack([disk(float(whole), _RADIUS + 1) for whole in range(_RADIUS + 1)])
    blurred = interpolated_reblur(light, radius.expand(1, 1, *light.shape[-2:]), kernels)
    display = encode(blurred[0].permute(1, 2, 0).numpy())
    display = display + np.random.default_rng(1).normal(0, _NOISE, display.shape)
    pixels = np.rint(255 * np.clip(display, 0, 1)).astype(np.uint8)
    inside = np.s_[_MARGIN:-_MARGIN, _MARGIN:-_MARGIN]
    Image.fromarray(pixels[inside]).save(FOLDER / "osprey-missed-focus.jpg", quality=89)
    Image.fromarray(sharp[inside][OSPREY_HEAD]).save(FOLDER / "osprey-head-sharp.jpg", quality=92)


def measure() -> list[npt.NDArray[np.uint8]]:
    """Print how much of the head comes back; return it as it was seen, deblurred, and sharp."""
    (sharp, *_), (photo, *_) = missed_focus()
    defocus = estimate_defocus(photo, channel_axis=-1)
    for name, bokeh_radius in {"everything": 0.0, "subject": "auto"}.items():
        result = deblur(photo, defocus, channel_axis=-1, bokeh_radius=bokeh_radius)
        before, after = photo[OSPREY_HEAD], result[OSPREY_HEAD]
        print(
            f"{name}: eye {psnr(before[_EYE], sharp[_EYE]):.1f} -> "
            f"{psnr(after[_EYE], sharp[_EYE]):.1f} dB, head {psnr(before, sharp):.1f} -> "
            f"{psnr(after, sharp):.1f} dB; mean change of the background "
            f"{change(photo, result, _BOKEH):.2f}/255, of the branch in focus "
            f"{change(photo, result, _BRANCH):.2f}/255"
        )
    return [before, after, sharp]


def draw(pictures: list[npt.NDArray[np.uint8]], path: Path) -> None:
    """Write pictures side by side at twice their size."""
    row = np.concatenate(pictures, axis=1)
    panel = Image.fromarray(row)
    panel.resize((2 * panel.width, 2 * panel.height)).save(path, quality=90)
    print(path)


def psnr(picture: npt.NDArray[np.uint8], sharp: npt.NDArray[np.uint8]) -> float:
    """Return the peak signal-to-noise ratio in dB."""
    error = np.mean((picture.astype(float) - sharp) ** 2)
    return float(10 * np.log10(255**2 / error))


def change(photo: npt.NDArray[np.uint8], result: npt.NDArray[np.uint8], part: tuple) -> float:
    """Return the mean change of values in a part, in steps of 255."""
    return float(np.abs(result[part].astype(float) - photo[part]).mean())


if __name__ == "__main__":
    main()
