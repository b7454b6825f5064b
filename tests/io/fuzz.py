"""Reader of damaged copies of files, run as a process: ``python -m tests.io.fuzz FOLDER COPIES``.

It prints what is neither a result nor one sentence that names the file, and too much memory.
"""

import random
import shutil
import signal
import struct
import sys
from pathlib import Path

import dask.array
import numpy as np
import zarr

from napari_defocus.errors import FileError, ModelError
from napari_defocus.io import open_picture, read_picture
from napari_defocus.models import find_model, load_network

from .png_checksums import with_checksums

LIMIT = 500 << 20  # bytes
SECONDS = 10
NUMBERS = [0, 1, 255, 2**15, 2**16 - 1, 2**16, 10**9, 2**31 - 1, 2**31, 2**32 - 1]
TEXTS = [b"0", b"-1", b"1e9", b"99999999999", b"null", b"[]", b"{}", b'"x"', b"[[[["]
WEIGHTS = (".safetensors", ".pth")
assert dask.array
assert zarr


class TooSlowError(BaseException):
    """A file took too long; no reader takes it for an error of the file."""


def stop(*_):
    raise TooSlowError


def damage(content, rng):
    """Return bytes with some changed, inserted, cut out or repeated, or with the end cut off."""
    content = bytearray(content)
    for _ in range(rng.randint(1, 5)):
        place = rng.choice([rng.randrange(200), rng.randrange(3000), -rng.randrange(1, 300)])
        place = place % len(content) if content else 0
        kind = rng.choice(["byte", "byte", "number", "text", "insert", "cut", "repeat", "end"])
        if kind == "byte":
            content[place : place + 1] = rng.randbytes(1)
        elif kind == "number":
            form = rng.choice("<>") + rng.choice("HIQ")
            number = rng.choice(NUMBERS) % 256 ** struct.calcsize(form)
            content[place : place + struct.calcsize(form)] = struct.pack(form, number)
        elif kind == "text":
            content[place : place + rng.randrange(4)] = rng.choice(TEXTS)
        elif kind == "insert":
            content[place:place] = rng.randbytes(rng.randint(1, 40))
        elif kind == "cut":
            del content[place : place + rng.randint(1, 40)]
        elif kind == "repeat":
            content[place:place] = content[place : place + rng.randint(1, 200)] * rng.randint(1, 50)
        else:
            del content[place:]
    is_png = content.startswith(b"\x89PNG")
    return with_checksums(content) if is_png and rng.random() < 0.5 else bytes(content)


def damaged_copy(good, path, rng):
    if good.is_file():
        path.write_bytes(damage(good.read_bytes(), rng))
        return
    shutil.copytree(good, path)
    files = sorted(file for file in path.rglob("*") if file.is_file())
    for file in rng.sample(files, min(len(files), rng.randint(1, 2))):
        file.write_bytes(damage(file.read_bytes(), rng))


def read(path):
    if path.suffix in WEIGHTS:
        load_network(find_model(path, "single"))
    else:
        read_picture(path)
        if path.is_file() and path.read_bytes()[:2] in (b"II", b"MM"):
            np.asarray(open_picture(path, lazy_from=0).data)  # window by window


def complaint(path):
    """Return what is wrong about the way in which a file is read, nothing if all is well."""
    signal.alarm(SECONDS)
    try:
        read(path)
    except (FileError, ModelError) as error:
        words = str(error)
        return "" if path.name in words and "\n" not in words else f"says {words!r}"
    except TooSlowError:
        return f"takes more than {SECONDS} s"
    except BaseException as error:
        return f"raises {error!r}"
    finally:
        signal.alarm(0)
    return ""


def memory(name):
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith(name))


def main(folder, copies):
    import resource  # which Windows lacks

    examples = sorted(Path(folder).iterdir())
    for good in examples:
        read(good)  # imports what is needed
    resource.setrlimit(resource.RLIMIT_DATA, (memory("VmData") + LIMIT,) * 2)
    base = memory("VmRSS")
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    signal.signal(signal.SIGALRM, stop)
    for seed in range(int(copies)):
        rng = random.Random(seed)
        good = rng.choice(examples)
        path = good.parent.parent / f"{seed}{good.suffix}"
        damaged_copy(good, path, rng)
        if words := complaint(path):
            print(f"copy {seed} of {good.name} {words}")
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    if memory("VmHWM") - base > LIMIT:
        print(f"{(memory('VmHWM') - base) >> 20} MiB were taken")


if __name__ == "__main__":
    main(*sys.argv[1:])
