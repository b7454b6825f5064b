"""Pairs of blurred and sharp files of one view: the layouts of DPDD, and any pairs."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from training.data.images import image_files
from training.errors import TrainingError

_DPDD_FOLDERS = (
    "dd_dp_dataset_png",
    "dd_dp_dataset_canon/dd_dp_dataset_png",
    "dd_dp_dataset_canon",
    "dd_dp_dataset_validation_inputs_only/dd_dp_dataset_png",
)
_PAIR_FOLDERS = (("blurred", "sharp"), ("input", "target"))
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class PairFiles:
    """Files of one view.

    Attributes
    ----------
    name : str
        Of the view.
    blurred, sharp : Path
        Out of focus, and in focus everywhere.
    left, right : Path, optional
        Dual-pixel views of the blurred picture.
    """

    name: str
    blurred: Path
    sharp: Path
    left: Path | None = None
    right: Path | None = None

    def paths(self) -> Iterator[Path]:
        """All files of the pair."""
        for path in (self.blurred, self.sharp, self.left, self.right):
            if path is not None:
                yield path


def find_pairs(root: Path, split: str = "train") -> list[PairFiles]:
    """Find the pairs of a folder of any supported layout.

    Parameters
    ----------
    root : Path
        A folder of DPDD as published (``<split>_c/source``, ``<split>_c/target``,
        ``<split>_l/source``, ``<split>_r/source``, in it or in its ``dd_dp_dataset_png``), of
        DPDD's half-size scenes (``NN_input.tif``, ``NN_target.png``, ``NN_view0.png``,
        ``NN_view1.png``), or of ``blurred`` (or ``input``) beside ``sharp`` (or ``target``).
    split : {"train", "val", "test"}
        Part of a published DPDD; other layouts have one part.

    Raises
    ------
    TrainingError
        If the layout is none of these, or files are missing.
    """
    for folder in (root, *(root / name for name in _DPDD_FOLDERS)):
        if (folder / f"{split}_c").is_dir():
            return dpdd_pairs(folder, split)
    for blurred, sharp in _PAIR_FOLDERS:
        if (root / blurred).is_dir() and (root / sharp).is_dir():
            return same_names(root / blurred, root / sharp)
    pairs = half_size_pairs(root)
    if not pairs:
        raise TrainingError(
            f"{root} holds neither {split}_c (DPDD), nor blurred and sharp (or input and target), "
            "nor NN_input.tif files"
        )
    return pairs


def dpdd_pairs(folder: Path, split: str) -> list[PairFiles]:
    """Return the scenes of one split of DPDD as published; files belong together by their order."""
    parts = [
        folder / f"{split}_c" / "source",
        folder / f"{split}_c" / "target",
        folder / f"{split}_l" / "source",
        folder / f"{split}_r" / "source",
    ]
    missing = [str(part) for part in parts if not part.is_dir()]
    if missing:
        raise TrainingError(f"{folder} lacks {' and '.join(missing)}")
    columns = [image_files(part) for part in parts]
    if len({len(column) for column in columns}) != 1:
        counts = ", ".join(
            f"{len(c)} in {p.parent.name}/{p.name}" for c, p in zip(columns, parts, strict=True)
        )
        raise TrainingError(f"the folders of {folder} hold different numbers of images: {counts}")
    return [PairFiles(files[0].stem, *files) for files in zip(*columns, strict=True)]


def half_size_pairs(folder: Path) -> list[PairFiles]:
    """Return the half-size scenes of DPDD's authors."""

    def scene(path: Path) -> PairFiles:
        name = path.name.removesuffix("_input.tif")
        others = (folder / f"{name}_{part}.png" for part in ("target", "view0", "view1"))
        return PairFiles(name, path, *others)

    return [scene(path) for path in sorted(folder.glob("*_input.tif"))]


def same_names(blurred: Path, sharp: Path) -> list[PairFiles]:
    """Pair files of two folders by name without suffix; log the others."""
    by_name = [{path.stem: path for path in image_files(folder)} for folder in (blurred, sharp)]
    shared = sorted(by_name[0].keys() & by_name[1].keys())
    alone = sorted(by_name[0].keys() ^ by_name[1].keys())
    for name in alone:
        _log.warning("skipped %s: it is in one of %s and %s only", name, blurred, sharp)
    if not shared:
        raise TrainingError(f"{blurred} and {sharp} share no file name")
    return [PairFiles(name, by_name[0][name], by_name[1][name]) for name in shared]
