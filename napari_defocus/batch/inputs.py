"""Image files that names, patterns and folders stand for."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ..errors import FileError, reason
from ..io.formats import readable_suffixes
from ..io.ome_sets import COMPANION_SUFFIX, set_files
from ..io.read import count_images
from ..io.series import image_file, plane_folder
from ..io.zarr_layout import (
    collection_root,
    is_zarr_folder,
    read_attributes,
    read_collection,
)


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
    store : pathlib.Path, optional
        The plate or series that an image in OME-Zarr belongs to; its results keep that layout.
    others : tuple of pathlib.Path
        Further files of an OME-TIFF set, which hold planes of the same image.
    """

    path: Path
    folder: Path
    store: Path | None = None
    others: tuple[Path, ...] = ()


def find_inputs(inputs: Iterable[str | Path], *, exclude: Path | None = None) -> list[InputFile]:
    """Find all image files that a list of names, patterns and folders stands for.

    Parameters
    ----------
    inputs : iterable of str or path
        Files and zarr stores; folders, which are searched at any depth; patterns such as
        ``*.tif``, with ``**`` for any depth. Plates, wells and series of OME-Zarr stand for all
        their images, and may be given by a part: ``plate.zarr/A/1``, ``plate.zarr/A/1/0``. Files
        of microscopes stand for all their images as well, ``scan.lif/2`` for one of them.
    exclude : path, optional
        A folder that is not searched: that of the results.

    Returns
    -------
    list of InputFile
        Each file once, in the order of `inputs`; the files of a folder by name. An OME-TIFF image
        in several files is one input, whichever of them are given.

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
    return list(walk_inputs(inputs, exclude=exclude))


def walk_inputs(
    inputs: Iterable[str | Path], *, exclude: Path | None = None
) -> Iterator[InputFile]:
    """Yield what `find_inputs` returns, as soon as it is found."""
    excluded = None if exclude is None else Path(os.path.realpath(exclude))
    paths: set[str] = set()
    for name in inputs:
        if name == "":
            raise FileError(
                "an empty name is neither a file nor a folder; give the working directory as '.'"
            )
        for file in _expand(Path(name), excluded):
            path = os.path.realpath(file.path)
            if path not in paths:
                paths.add(path)
                yield file


def _expand(name: Path, excluded: Path | None) -> Iterator[InputFile]:
    """Yield the image files that one name, pattern or folder stands for."""
    try:
        is_folder = name.is_dir() and not is_zarr_folder(name)
    except OSError as error:
        raise FileError(f"{name} cannot be read: {reason(error)}") from error
    if is_folder:
        yield from _expand_folder(name, excluded)
        return
    if name.exists() or image_file(name) != name:
        yield from _images(name, Path())
        return
    root = Path(name.anchor)
    within = "**" not in name.parts
    is_matched = False
    for path in sorted(_match(root, name)):
        if _is_image(path, within=within):
            is_matched = True
            yield from _images(path, Path())
    if not is_matched:
        raise FileError(
            f"{name} is neither a file nor a folder, and as a pattern it matches no image file"
        )


def _expand_folder(name: Path, excluded: Path | None) -> Iterator[InputFile]:
    is_empty = True
    for file in _search_folder(name, excluded):
        is_empty = False
        yield file
    if is_empty:
        if any(_search_folder(name, None)):
            raise FileError(
                f"all image files in {name} lie in {excluded}, where results go and which is not "
                "searched therefore; give another folder for the results"
            )
        suffixes = ", ".join(readable_suffixes())
        raise FileError(f"{name} holds no image file; looked for {suffixes}")


def _match(root: Path, pattern: Path) -> list[Path]:
    try:
        return list(root.glob(str(pattern.relative_to(root))))
    except (ValueError, OSError):
        return []


def _images(path: Path, folder: Path) -> list[InputFile]:
    """Return an image file, or all images of a file, a plate, a well or a series of OME-Zarr."""
    if not is_zarr_folder(path):
        count = count_images(path) if image_file(path) == path else 1
        if count > 1:
            return [InputFile(path / str(number), folder) for number in range(count)]
        first, *others = _files_of_image(path)
        return [InputFile(first, folder, others=tuple(others))]
    try:
        collection, root = read_collection(path), collection_root(path)
    except FileError:  # its own reading says what is damaged
        return [InputFile(path, folder)]
    if root is not None:
        path = root / Path(os.path.normpath(path.absolute())).relative_to(root)
    if collection is None:
        return [InputFile(path, folder, root)]
    if not collection.images or (collection.kind == "series" and len(collection.images) == 1):
        return [InputFile(path, folder)]
    store = root or path
    return [InputFile(path / image, folder, store) for image in collection.images]


def _files_of_image(path: Path) -> tuple[Path, ...]:
    """Return the files that hold an image, of an OME-TIFF set perhaps several."""
    may_be_set = path.suffix.lower() in (".tif", ".tiff", COMPANION_SUFFIX) and path.is_file()
    return (may_be_set and set_files(path)) or (path,)


def _is_image(path: Path, *, within: bool = False) -> bool:
    """Return whether a path is a file or zarr store, or with `within` an image in a store."""
    if any(map(is_zarr_folder, path.parents)):
        return within and is_zarr_folder(path) and _is_part(path)
    return path.is_file() or is_zarr_folder(path)


def _is_part(path: Path) -> bool:
    """Return whether a group of a store is an image or a well, and no label image."""
    try:
        attributes, _ = read_attributes(path)
    except FileError:
        return True
    return not {"multiscales", "well"}.isdisjoint(attributes) and "labels" not in path.parts


def _search_folder(folder: Path, excluded: Path | None) -> Iterator[InputFile]:
    suffixes = readable_suffixes()
    unreadable: set[Path] = set()
    for path in sorted(_walk(folder, unreadable)):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        is_store = is_zarr_folder(path)
        is_named = path.suffix.lower() in suffixes
        if hidden or not (is_named or is_store or path in unreadable):
            continue
        is_broken_link = path.is_symlink() and not path.exists()
        # The report should name what cannot be read.
        if not (_is_image(path) or is_broken_link or path in unreadable):
            continue
        if excluded is None or excluded not in Path(os.path.realpath(path)).parents:
            yield from _images(path, path.parent.relative_to(folder))


def _walk(folder: Path, unreadable: set[Path]) -> Iterator[Path]:
    """Yield all that lies in a folder, at any depth, except the insides of stores and OIF files.

    Folders within it that cannot be read are added to `unreadable`.
    """

    def note(error: OSError) -> None:
        if Path(error.filename) == folder:
            raise FileError(f"{folder} cannot be read: {reason(error)}") from error
        unreadable.add(Path(error.filename))

    for parent, folders, files in os.walk(folder, onerror=note):
        here = Path(parent)
        yield from (here / name for name in (*files, *folders))
        planes = {plane_folder(here / name) for name in files}
        folders[:] = [
            name
            for name in folders
            if not is_zarr_folder(here / name) and here / name not in planes
        ]
