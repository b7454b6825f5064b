"""Memory and time of a large image through a batch: ``python benchmarks/large.py [MEGAPIXELS]``.

A zarr image of uint16 is made in a temporary folder, mapped and deblurred. Peak memory is printed
above that of the same work on an image of one tile, weights included. Time is printed as a multiple
of that of its tiles: squares of 2048 pixels, some before and some after, each mapped and deblurred
alone, in memory; and as a multiple of the time that its networks take by themselves.
"""

import multiprocessing
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

import napari_defocus

PHOTO = Path(napari_defocus.__file__).parent / "samples" / "canyon-wren.jpg"
_CHUNK = 512
_TILE = 2048
_TILES = 3


def main() -> None:
    megapixels = float(sys.argv[1]) if len(sys.argv) > 1 else 400
    side = int((megapixels * 1e6) ** 0.5)
    with tempfile.TemporaryDirectory() as folder:
        small, large = Path(folder) / "small.zarr", Path(folder) / "large.zarr"
        make(small, 256)
        make(large, side)
        spawned = multiprocessing.get_context("spawn").Pool
        with spawned(1) as pool, spawned(1) as other:
            before, *_ = pool.apply(run, (small,))
            apart = [other.apply(tiles, (large, 0))]
            peak, seconds, networks = pool.apply(run, (large,))
            apart.append(other.apply(tiles, (large, 1)))
    alone = side**2 * sum(apart) / len(apart)
    print(
        f"{side}x{side}: {seconds:.0f} s, x{seconds / alone:.3f} of its tiles, "
        f"x{seconds / networks:.3f} of its networks; "
        f"peak memory {peak - before:.0f} MB above {before:.0f} MB"
    )


def make(path: Path, side: int) -> None:
    """Write the sample photograph again and again, mirrored at the seams."""
    import zarr

    from napari_defocus.io import read_picture

    photo = read_picture(PHOTO).data.mean(-1) * 200
    photo = np.concatenate([photo, photo[::-1]]).astype(np.uint16)
    photo = np.concatenate([photo, photo[:, ::-1]], axis=1)
    image = zarr.create_array(str(path), shape=(side, side), dtype="u2", chunks=(_CHUNK, _CHUNK))
    columns = np.arange(side) % photo.shape[1]
    for top in range(0, side, _CHUNK):
        rows = np.arange(top, min(top + _CHUNK, side)) % photo.shape[0]
        image[top : top + _CHUNK] = photo[rows][:, columns]


def run(path: Path) -> tuple[float, float, float]:
    """Return the peak of the process in megabytes, seconds, and seconds spent in networks."""
    from napari_defocus.batch.plan import make_plan
    from napari_defocus.batch.run import run_plan
    from napari_defocus.batch.settings import Settings
    from napari_defocus.inference.runner import DeviceNetwork

    spent = []
    tile = DeviceNetwork.run

    def timed(runner: Any, planes: Any) -> Any:
        began = time.perf_counter()
        result = tile(runner, planes)
        spent.append(time.perf_counter() - began)
        return result

    DeviceNetwork.run = timed  # type: ignore[method-assign]
    began = time.perf_counter()
    for event in run_plan(make_plan([path], path.parent / "out", Settings(task="both"))):
        if event.outcome is not None and event.outcome.state != "done":
            raise SystemExit(event.outcome.message)
    seconds = time.perf_counter() - began
    DeviceNetwork.run = tile  # type: ignore[method-assign]
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit, seconds, sum(spent)


def tiles(path: Path, seed: int) -> float:
    """Return the seconds a pixel that some tiles of an image take, each by itself."""
    import zarr

    image = zarr.open_array(str(path), mode="r")
    black_white = (0.0, float(image[:_TILE, :_TILE].max()))
    side = min(_TILE, *image.shape)
    places = np.random.default_rng(seed).integers(0, image.shape[0] - side + 1, (_TILES + 1, 2))
    spent = []
    for top, left in places:
        tile = image[top : top + side, left : left + side]
        began = time.perf_counter()
        defocus = napari_defocus.estimate_defocus(tile, value_range=black_white)
        napari_defocus.deblur(tile, defocus, value_range=black_white)
        spent.append(time.perf_counter() - began)
    return sum(spent[1:]) / (_TILES * side**2)  # the first one loads the networks


if __name__ == "__main__":
    main()
