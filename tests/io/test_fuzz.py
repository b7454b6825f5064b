"""Damaged files of every format: each gives a result or a sentence, in limited memory and time."""

import itertools
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch

from napari_defocus.io import write_picture
from napari_defocus.networks import build

from ..model_files import save_untrained
from .microscopy.examples import KINDS, write_examples
from .slide_files import scene, write_ndpi, write_scn, write_svs
from .test_hostile import EXAMPLES, STACK
from .test_stills import EXAMPLES as STILLS
from .test_stills import RAMP, heic

ROOT = Path(__file__).resolve().parents[2]
ARGUMENTS = {"widths": [4, 4, 4], "blocks": [1, 1, 1, 1]}
SIGNATURES = {"PNG": b"\x89PNG", "JPEG": b"\xff\xd8"}
#: Readable formats of microscopes.
MICROSCOPES = [each for each in KINDS if not KINDS[each] or find_spec(KINDS[each])]
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="limits memory as Linux does")


def make_examples(folder, kind):
    if kind == "weights":
        network = build("single-estimator", ARGUMENTS)
        save_untrained(folder, "a", "single-estimator", ARGUMENTS, network)
        (folder / "a.json").unlink()
        fields = {"task": "single", "architecture": "single-estimator", "arguments": ARGUMENTS}
        torch.save({**fields, "state_dict": network.state_dict()}, folder / "b.pth")
    elif kind == "zarr":
        make_stores(folder)
    else:
        signatures = (SIGNATURES[kind],) if kind in SIGNATURES else (b"II", b"MM")
        for number, content in enumerate(EXAMPLES):
            if content.startswith(signatures):
                (folder / f"{number:02}.bin").write_bytes(content)


def make_stores(folder):
    zarr = pytest.importorskip("zarr")
    write_picture(folder / "a.zarr", STACK)
    write_picture(folder / "b.zarr", np.kron(STACK, np.ones((1, 20, 20), np.uint8)))
    for version, codec in itertools.product((2, 3), ("zstd", "gzip", None)):
        name = f"{version}{codec}.zarr"
        wanted = {"zstd": "auto", "gzip": gzip_of(zarr, version), None: None}[codec]
        zarr.create_array(
            folder / name,
            data=STACK,
            chunks=(1, 16, 16),
            shards=(1, 48, 32) if version == 3 and codec else None,
            compressors=wanted,
            zarr_format=version,
        )


def gzip_of(zarr, version):
    if version == 3:
        return zarr.codecs.GzipCodec()
    from numcodecs import GZip

    return GZip()


@LINUX
@pytest.mark.parametrize("copies", [6, pytest.param(300, marks=pytest.mark.slow)])
def test_damaged_stills_and_slides_give_results_or_sentences(tmp_path, copies):
    good = tmp_path / "good"
    good.mkdir()
    kinds = {kind: each for kind, each in STILLS.items() if kind != "JPEG XR"}
    for kind, contents in kinds.items():
        for number, content in enumerate(contents):
            (good / f"{kind}-{number}.bin").write_bytes(content)
    if find_spec("pillow_heif"):
        (good / "a.heic").write_bytes(heic([RAMP]))
    if find_spec("tiffslide"):
        write_svs(good / "a.svs", scene(300, 400), compression="jpeg")
        write_ndpi(good / "a.ndpi", scene(300, 400))
        write_scn(good / "a.scn", scene(300, 400))
    check_damaged_copies(good, copies * (len(kinds) + 4))


@LINUX
@pytest.mark.parametrize("copies", [4, pytest.param(300, marks=pytest.mark.slow)])
def test_damaged_jpeg_xr_gives_results_or_sentences(tmp_path, copies):
    (tmp_path / "good").mkdir()  # each copy is decoded by a process of its own
    for number, content in enumerate(STILLS["JPEG XR"]):
        (tmp_path / "good" / f"{number}.bin").write_bytes(content)
    check_damaged_copies(tmp_path / "good", copies)


@LINUX
@pytest.mark.parametrize(
    ("kinds", "copies"),
    [
        (MICROSCOPES, 15 * len(MICROSCOPES)),
        *(pytest.param([kind], 300, marks=pytest.mark.slow) for kind in MICROSCOPES),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, list) else str(value),
)
def test_damaged_files_of_microscopes_give_results_or_sentences(tmp_path, kinds, copies):
    good = tmp_path / "good"
    good.mkdir()
    for kind in kinds:
        write_examples(good, kind)
    check_damaged_copies(good, copies)


@LINUX
@pytest.mark.parametrize("copies", [8, pytest.param(1000, marks=pytest.mark.slow)])
@pytest.mark.parametrize("kind", ["TIFF", "PNG", "JPEG", "zarr", "weights"])
def test_damaged_files_give_results_or_sentences(tmp_path, kind, copies):
    (tmp_path / "good").mkdir()
    make_examples(tmp_path / "good", kind)
    check_damaged_copies(tmp_path / "good", copies)


def check_damaged_copies(good, copies):
    command = [sys.executable, "-m", "tests.io.fuzz", str(good), str(copies)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr[-2000:]
