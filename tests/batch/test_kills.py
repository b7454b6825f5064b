"""Kills at any moment of a batch of many files, some of them broken; later runs mend all.

The processes are forked from a warm one, see `warm`, and killed by SIGKILL.
"""

import csv
import io
import json
import os
import random
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from napari_defocus.batch.plan import PLAN_NAME
from napari_defocus.io import read_picture, write_picture

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs POSIX processes")

WARM = Path(__file__).with_name("warm.py")


def values(seed, shape=(40, 36)):
    noise = np.random.default_rng(seed).random(shape)
    return (noise + np.roll(noise, 1, -1)) / 2


def whole(seed, shape, dtype):
    return (values(seed, shape) * np.iinfo(dtype).max).astype(dtype)


def save_png(dtype, *samples):
    return lambda path, seed: write_picture(
        path, whole(seed, (40, 36, *samples), dtype), channel_axis=-1 if samples else None
    )


def save_pillow(mode, **options):
    return lambda path, seed: (
        Image.fromarray(whole(seed, (40, 36, 3), np.uint8)).convert(mode).save(path, **options)
    )


def save_tiff(make, writer_options=None, **options):
    def save(path, seed):
        with tifffile.TiffWriter(path, **writer_options or {}) as writer:
            writer.write(make(seed), **options)

    return save


GOOD = {
    "gray8.png": save_png(np.uint8),
    "color8.png": save_png(np.uint8, 3),
    "gray16.png": save_png(np.uint16),
    "color16.png": save_png(np.uint16, 4),
    "palette.png": save_pillow("P"),
    "gray.jpg": save_pillow("L", quality=90),
    "color.jpeg": save_pillow("RGB", quality=90, exif=b"Exif\0\0II*\0\x08\0\0\0\0\0\0\0\0\0"),
    "png inside.tif": save_pillow("RGB", format="PNG"),
    "gray8.tif": save_tiff(lambda seed: whole(seed, (40, 36), np.uint8)),
    "gray16.tiff": save_tiff(lambda seed: whole(seed, (40, 36), np.uint16), compression="zlib"),
    "signed.tif": save_tiff(lambda seed: whole(seed, (40, 36), np.int16), {"bigtiff": True}),
    "float32.tif": save_tiff(lambda seed: values(seed).astype(np.float32), compression="lzw"),
    "float64.tif": save_tiff(values),
    "color8.tif": save_tiff(lambda seed: whole(seed, (40, 36, 3), np.uint8), photometric="rgb"),
    "tiles.tif": save_tiff(
        lambda seed: whole(seed, (40, 36, 3), np.uint16), photometric="rgb", tile=(16, 16)
    ),
    "planes.ome.tif": save_tiff(
        lambda seed: whole(seed, (2, 24, 20), np.uint16), {"ome": True}, metadata={"axes": "CYX"}
    ),
    "float.ome.tif": save_tiff(
        lambda seed: values(seed).astype(np.float32), {"ome": True}, metadata={"axes": "YX"}
    ),
    "stack.tif": save_tiff(
        lambda seed: whole(seed, (2, 24, 20), np.uint16), {"imagej": True}, metadata={"axes": "ZYX"}
    ),
}


def encoded(save, name="a.tif"):
    buffer = io.BytesIO()
    buffer.name = name
    save(buffer, 0)
    return buffer.getvalue()


def circular_tiff():
    content = bytearray(encoded(save_tiff(lambda _: whole(0, (9, 9), np.uint8), metadata=None)))
    start = struct.unpack_from("<I", content, 4)[0]
    end = start + 2 + 12 * struct.unpack_from("<H", content, start)[0]
    struct.pack_into("<I", content, end, start)
    return bytes(content)


PNG = encoded(save_pillow("RGB", format="PNG"))
JPEG = encoded(save_pillow("RGB", format="JPEG"))
TIFF = encoded(GOOD["color8.tif"])
BROKEN = {
    "empty.png": (b"", "is empty"),
    "text.jpg": (b"no picture at all", "not an image of a known kind"),
    "gif.png": (b"GIF89a" + bytes(90), "damaged or truncated"),
    "pdf.tiff": (b"%PDF-1.7" + bytes(90), "not an image of a known kind"),
    "nothing.tif": (bytes(4000), "not an image of a known kind"),
    "cut.png": (PNG[: len(PNG) // 2], "damaged or truncated"),
    "cut.jpg": (JPEG[: len(JPEG) // 2], "damaged or truncated"),
    "cut.tif": (TIFF[:-99], "is truncated"),
    "head.tif": (TIFF[:8], "holds no image"),
    "head.jpg": (JPEG[:4], "damaged or truncated"),
    "checksum.png": (PNG[:60] + b"no" + PNG[62:], "damaged or truncated"),
    "gigapixels.png": (PNG[:16] + b"\x7f\xff\xff\xff" * 2 + PNG[24:], "claims 2147483647 x"),
    "tags.tif": (TIFF[:14] + b"\xff\xff" + TIFF[16:], "is damaged"),
    "circle.tif": (circular_tiff(), "lead in a circle"),
    "dots.png": (encoded(save_pillow("1", format="PPM")), "not an image of a known kind"),
    "nan.tif": (encoded(save_tiff(lambda _: np.full((9, 9), np.nan))), "no finite value"),
    "complex.tif": (encoded(save_tiff(lambda _: values(0) + 1j)), "complex"),
    "inks.jpg": (encoded(save_pillow("CMYK", format="JPEG")), "holds CMYK colors"),
    "float.png": (encoded(save_tiff(values)), "cannot hold float64 values"),
    "pixel.tif": (encoded(save_tiff(lambda _: np.ones((1, 1), np.uint8))), "at least"),
}


@pytest.fixture(scope="module")
def run_together():
    """Return a function that runs batches beside each other, and returns their exit statuses."""
    with subprocess.Popen(
        [sys.executable, WARM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:

        def ask(*jobs):
            process.stdin.write(json.dumps(jobs) + "\n")
            process.stdin.flush()
            return json.loads(process.stdout.readline())

        yield ask


def job(inputs, out, settings, **moment):
    return {"inputs": [str(inputs)], "out": str(out), "settings": settings.as_json(), **moment}


@pytest.fixture
def run(run_together):
    """Return a function that runs a batch in a process of its own, and returns its exit status."""
    return lambda *about, **moment: run_together(job(*about, **moment))[0]


def write_files(folder, copies):
    """Write 18 kinds of good files, in as many copies, and 20 broken ones."""
    (folder / "folder.png").mkdir(parents=True)
    for number in range(copies):
        for name, save in GOOD.items():
            below = folder / "folder.png" if number == copies - 1 else folder
            save(below / f"{number} {name}", number)
    for name, (content, _) in BROKEN.items():
        (folder / name).write_bytes(content)


def contents(folder):
    return {
        path.relative_to(folder): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != PLAN_NAME and not path.name.startswith("report")
    }


def report(folder):
    rows = csv.DictReader((folder / "report.csv").read_text(encoding="utf-8").splitlines())
    return {Path(row["file"]).name: row for row in rows}


@pytest.mark.parametrize(
    ("copies", "kills"), [(1, 2), pytest.param(10, 10, marks=pytest.mark.slow)]
)
def test_kills_during_many_files_are_mended(settings, tmp_path, run, copies, kills):
    assert (len(GOOD), len(BROKEN)) == (18, 20)
    mixed = tmp_path / "in"
    write_files(mixed, copies)
    assert run(mixed, tmp_path / "whole", settings()) == 0
    rng = random.Random(0)
    for _ in range(kills):
        files, touches = rng.randrange(4, 17 * copies // kills), rng.randrange(30)
        ended = run(mixed, tmp_path / "out", settings(), files=files, touches=touches)
        assert ended == -9
    assert run(mixed, tmp_path / "out", settings()) == 0
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")
    check_reasons(report(tmp_path / "out"))
    check_results(mixed, tmp_path / "out", 18 * copies)


def check_reasons(rows):
    assert {name for name, row in rows.items() if row["state"] == "failed"} == set(BROKEN)
    for name, (_, words) in BROKEN.items():
        assert words in rows[name]["message"]
        assert name in rows[name]["message"]
    assert {row["state"] for row in rows.values()} == {"done", "verified", "failed"}


def check_results(sources, results, count):
    made = [path for path in results.rglob("*-deblurred.*") if path.suffix != ".json"]
    assert len(made) == count
    for path in made:
        source = sources / path.relative_to(results).parent / path.name.replace("-deblurred", "")
        before, after = read_picture(source), read_picture(path)
        assert (after.data.shape, after.data.dtype) == (before.data.shape, before.data.dtype)
        assert after.axes == before.axes


@pytest.mark.parametrize("stride", [23, pytest.param(1, marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    ("existing", "before"),
    [("refuse", "nothing"), ("keep", "nothing"), ("refuse", "a result of other content")],
)
def test_a_kill_at_any_touch_of_the_results_is_mended(
    tmp_path, settings, run, existing, before, stride
):
    custom = settings(existing=existing)
    (tmp_path / "in").mkdir()
    GOOD["gray8.png"](tmp_path / "in" / "a.png", 1)
    (tmp_path / "before").mkdir()
    if before != "nothing":
        assert run(tmp_path / "in", tmp_path / "before", custom) == 0
    (tmp_path / "in" / "a.png").unlink()
    GOOD["gray8.png"](tmp_path / "in" / "a.png", 0)
    assert run(tmp_path / "in", tmp_path / "whole", custom) == 0
    wanted = contents(tmp_path / "whole")
    assert Path("a-deblurred.png") in wanted
    touches, ended = 0, -9
    while ended == -9:
        out = tmp_path / str(touches)
        shutil.copytree(tmp_path / "before", out)
        ended = run(tmp_path / "in", out, custom, touches=touches)
        assert run(tmp_path / "in", out, custom) == 0
        assert contents(out) == wanted
        touches += stride
    assert touches > 20


def write_trees(folder, names):
    """Write good files and 20 broken ones into two folders, in turns."""
    for number, name in enumerate([*names, *BROKEN]):
        path = folder / "ab"[number % 2] / "sub" / f"{number} {name}"
        path.parent.mkdir(parents=True, exist_ok=True)
        if name in GOOD:
            GOOD[name](path, number)
        elif name in BROKEN:
            path.write_bytes(BROKEN[name][0])
        else:
            write_picture(path, whole(number, (2, 24, 20), np.uint16))


MANY = [*GOOD, "stack.zarr", "stack.ome.zarr"] * 2
FOREIGN = (
    "report.html",
    "notes.txt",
    "mine-deblurred.png",
    "mine.tif.json",
    ".holiday_movie_01.part",
    ".0123456789abcdef.part",
    ".napari-defocus-0123456789abcdef.part/movie.mp4",
    "mine.zarr/notes.txt",
)


def write_foreign_files(folder):
    for name in FOREIGN:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"{folder.name} {name}")


def foreign_files(folder):
    return {name: (folder / name).read_bytes() for name in FOREIGN}


@pytest.mark.parametrize(
    ("names", "kills", "kills_with_workers"),
    [
        ([*GOOD][:6], 2, 0),
        pytest.param(MANY, 24, 0, marks=pytest.mark.slow),
        pytest.param(MANY, 0, 6, marks=pytest.mark.slow),
    ],
)
def test_kills_of_two_batches_in_one_folder_tree_are_mended(
    settings, tmp_path, run_together, names, kills, kills_with_workers
):
    if "stack.zarr" in names:
        pytest.importorskip("zarr")
        pytest.importorskip("distributed")
    write_trees(tmp_path / "in", names)

    def batches(tree, *moments):
        pairs = zip(("a", "b/sub"), (tree, tree / "sub"), moments or ({}, {}), strict=True)
        return run_together(
            *(job(tmp_path / "in" / name, out, settings(), **how) for name, out, how in pairs)
        )

    assert batches(tmp_path / "whole") == [0, 0]
    out = tmp_path / "out"
    for folder in (out, out / "sub"):
        write_foreign_files(folder)
    before = foreign_files(out), foreign_files(out / "sub")
    rng, killed, killed_with_workers = random.Random(0), 0, 0
    while killed < kills:
        moments = ({"files": rng.randrange(2), "touches": rng.randrange(60)} for _ in "ab")
        killed += batches(out, *moments).count(-9)
    while killed_with_workers < kills_with_workers:
        moments = ({"touches": rng.randrange(8), "workers": 1} for _ in "ab")
        killed_with_workers += batches(out, *moments).count(-9)
    assert batches(out) == [0, 0]
    assert (foreign_files(out), foreign_files(out / "sub")) == before
    for folder in (out, out / "sub"):
        for name in FOREIGN:
            (folder / name).unlink()
    assert contents(out) == contents(tmp_path / "whole")
