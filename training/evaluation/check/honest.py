"""Scores of honest and dishonest pictures of real scenes."""

from collections.abc import Iterable, Iterator

import numpy as np
from scipy.ndimage import gaussian_filter

from napari_defocus import check, deblur, estimate_defocus
from training.evaluation.blurred_scene import BlurredScene, Image
from training.evaluation.check.trials import RATES
from training.evaluation.deblurring import DISPLAY
from training.evaluation.tables import Row

FAITHFUL = "faithful"
#: Widths in px: of unsharp masking, and of the detail that is taken from another photograph.
_SHARPENED, _DETAIL = 2.0, 4.0


def score_real(scenes: Iterable[BlurredScene]) -> Iterator[Row]:
    """Yield the scores of pictures of each scene, by the estimated map.

    They are the faithful result, and three that are to score less: the image sharpened by unsharp
    masking, the result exaggerated, and the result with detail of another photograph.

    Parameters
    ----------
    scenes : iterable of BlurredScene
        The scenes.
    """
    other: Image | None = None
    for scene in scenes:
        image = scene.blurred
        defocus = estimate_defocus(image, **DISPLAY)
        faithful = deblur(image, defocus, **DISPLAY)
        donor = faithful[::-1] if other is None or other.shape != faithful.shape else other
        other = faithful
        pictures = {
            FAITHFUL: faithful,
            "sharpened": image + _detail(image, _SHARPENED),
            "exaggerated": image + 2 * (faithful - image),
            "hallucinated": faithful + _detail(donor, _DETAIL),
        }
        for method, picture in pictures.items():
            result = check(image, picture.clip(0, 1).astype(np.float32), defocus, **DISPLAY)
            yield {
                "method": method,
                "scene": scene.name,
                "consistency": result.score.consistency,
                "inferred": result.score.inferred,
                **{
                    f"flagged {rate:g}": result.with_false_alarms(rate).score.flagged
                    for rate in RATES
                },
            }


def _detail(image: Image, width: float) -> Image:
    return np.asarray(image - gaussian_filter(image, (width, width, 0)), np.float32)
