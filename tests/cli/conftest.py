"""Small pictures, and the command line run through its entry point."""

from dataclasses import dataclass

import numpy as np
import pytest
from PIL import Image

from napari_defocus.cli import main


@dataclass(frozen=True)
class Completed:
    """Exit status and output of a command."""

    status: int
    out: str
    err: str

    @property
    def error(self) -> str:
        """The error message, the only line of output."""
        assert self.status == 2, self
        assert self.out == ""
        assert self.err.count("\n") == 1, self.err
        return self.err


@pytest.fixture
def run(monkeypatch, capsys):
    """Return a function that runs the command line, and returns its status and output."""

    def _run(*arguments):
        monkeypatch.setattr("sys.argv", ["napari-defocus", *map(str, arguments)])
        with pytest.raises(SystemExit) as exit_:
            main()
        streams = capsys.readouterr()
        return Completed(exit_.value.code or 0, streams.out, streams.err)

    return _run


def blobs(*shape, seed=0):
    """Smooth structure with some noise, 0 to 1."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[: shape[-2], : shape[-1]]
    smooth = 0.5 + 0.3 * np.sin(y / 3) * np.cos(x / 5)
    return np.clip(smooth + 0.05 * random.standard_normal(shape), 0, 1)


@pytest.fixture
def photo(tmp_path):
    """A JPEG of 40 x 48 pixels with EXIF and 300 dpi."""
    exif = Image.Exif()
    exif[0x010F] = "Canon"
    pixels = np.moveaxis(blobs(3, 40, 48) * 255, 0, -1).astype(np.uint8)
    Image.fromarray(pixels).save(tmp_path / "photo.jpg", exif=exif, dpi=(300, 300), quality=95)
    return tmp_path / "photo.jpg"
