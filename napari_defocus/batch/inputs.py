"""Image files that names, patterns and folders stand for."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ..errors import FileError, reason
from ..io.formats import readable_suffixes
from ..io.zarr_layout import is_zarr_folder


@dataclass(frozen=True)
class InputFile:
    """An image file, and the place of its results within the output folder.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    folder : pathlib.Path
        Folder of the results, relative to the output folder. For a file from a folder it is the
        path from that folder to the file's own.
    """

    path: Path
    folder: Path


def find_inputs(inputs: Iterable[str | Path], *, exclude: Path | None = None) -> list[InputFile]:
    """Find all image files that a list of names, patterns and folders stands for.

    Parameters
    ----------
    inputs : iterable of str or path
        Files and zarr stores; folders, which are searched at any depth; patterns such as
        ``*.tif``, with ``**`` for any depth.
    exclude : path, optional
        A folder that is not searched: that of the results.

    Returns
    -------
    list of InputFile
        Each file once, in the order of `inputs`; the files of a folder by name.

    Raises
    ------
    FileError
        If one of the inputs does not exist, or holds no image file.

    Examples
    --------
    >>> find_inputs(["no such folder"])
    Traceback (most recent call last):
    ...
    napari_defocus.errors.FileError: no such folder is neither a file nor a folder, and...
    """
    excluded = None if exclude is None else Path(os.path.realpath(exclude))
    files: dict[Path, InputFile] = {}
    for name in inputs:
        if name == "":
            raise FileError(
                "an empty name is neither a file nor a folder; give the working directory as '.'"
            )
        for file in _expand(Path(name), excluded):
            files.setdefault(Path(os.path.realpath(file.path)), file)
    return list(files.values())


def _expand(name: Path, excluded: Path | None) -> list[InputFile]:
    """Return the image files that one name, pattern or folder stands for."""
    try:
        is_folder = name.is_dir() and not is_zarr_folder(name)
    except OSError as error:
        raise FileError(f"{name} cannot be read: {reason(error)}") from error
    if is_folder:
        inside = list(_search_folder(name, excluded))
        if not inside and any(_search_folder(name, None)):
            raise FileError(
                f"all image files in {name} lie in {excluded}, where results go and which is not "
                "searched therefore; give another folder for the results"
            )
        if not inside:
            suffixes = ", ".join(readable_suffixes())
            raise FileError(f"{name} holds no image file; looked for {suffixes}")
        return inside
    if name.exists():
        return [InputFile(name, Path())]
    root = Path(name.anchor)
    files = [InputFile(path, Path()) for path in sorted(_match(root, name)) if _is_image(path)]
    if not files:
        raise FileError(
            f"{name} is neither a file nor a folder, and as a pattern it matches no image file"
        )
    return files


def _match(root: Path, pattern: Path) -> list[Path]:
    try:
        return list(root.glob(str(pattern.relative_to(root))))
    except (ValueError, OSError):
        return []


def _is_image(path: Path) -> bool:
    """Return whether a path is a file or a zarr store, and does not lie within a store."""
    return (path.is_file() or is_zarr_folder(path)) and not any(map(is_zarr_folder, path.parents))


def _search_folder(folder: Path, excluded: Path | None) -> Iterator[InputFile]:
    suffixes = readable_suffixes()
    unreadable: set[Path] = set()
    for path in sorted(_walk(folder, unreadable)):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if hidden or (path.suffix.lower() not in suffixes and path not in unreadable):
            continue
        is_broken_link = path.is_symlink() and not path.exists()
        # The report should name what cannot be read.
        if not (_is_image(path) or is_broken_link or path in unreadable):
            continue
        if excluded is None or excluded not in Path(os.path.realpath(path)).parents:
            yield InputFile(path, path.parent.relative_to(folder))


def _walk(folder: Path, unreadable: set[Path]) -> Iterator[Path]:
    """Yield all that lies in a folder, at any depth, except the insides of zarr stores.

    Folders within it that cannot be read are added to `unreadable`.
    """

    def note(error: OSError) -> None:
        if Path(error.filename) == folder:
            raise FileError(f"{folder} cannot be read: {reason(error)}") from error
        unreadable.add(Path(error.filename))

    for parent, folders, files in os.walk(folder, onerror=note):
        here = Path(parent)
        yield from (here / name for name in (*files, *folders))
        folders[:] = [name for name in folders if not is_zarr_folder(here / name)]
