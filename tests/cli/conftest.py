"""Small pictures, and the command line called as its entry point calls it."""

from dataclasses import dataclass

import numpy as np
import pytest
from PIL import Image

from napari_defocus.cli import main


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    status: int
    out: str
    err: str

    @property
    def error(self) -> str:
        """The one line that said what was wrong."""
        assert self.status == 2, self
        assert self.out == ""
        assert self.err.count("\n") == 1, self.err
        return self.err


@pytest.fixture
def run(monkeypatch, capsys):
    """Run the command line, and say how it ended."""

    def _run(*arguments):
        monkeypatch.setattr("sys.argv", ["napari-defocus", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return Ended(ended.value.code or 0, said.out, said.err)

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
