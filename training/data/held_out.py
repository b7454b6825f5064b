"""Manifest of held-out photographs, which no network may be trained on."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

_MANIFEST = Path(__file__).with_name("held_out.txt")


def held_out_hashes() -> frozenset[str]:
    """Return the SHA-256 of every file that models are evaluated on."""
    return frozenset(_MANIFEST.read_text(encoding="utf-8").split())


def is_held_out(path: Path) -> bool:
    """Return whether a file is kept for evaluation, by its content."""
    return digest(path) in held_out_hashes()


def split(paths: Iterable[Path], *, held_out: bool) -> list[Path]:
    """Return the files that are kept for evaluation, or all the others."""
    kept = held_out_hashes()
    return [path for path in paths if (digest(path) in kept) is held_out]


def digest(path: Path) -> str:
    """Return the SHA-256 of a file, as in the manifest."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
