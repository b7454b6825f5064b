"""What every test shares: where the evaluation data lie."""

import os
from pathlib import Path

import pytest

_CHECKOUT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """The evaluation data (``dpdd``, ``photos``, ``pixel4``, ``real``), or skip.

    ``NAPARI_DEFOCUS_DATA`` names the folder; without it, ``../shared/data`` beside the checkout.
    """
    folder = Path(os.environ.get("NAPARI_DEFOCUS_DATA", _CHECKOUT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no evaluation data: {folder} is not a folder (set NAPARI_DEFOCUS_DATA)")
    return folder
