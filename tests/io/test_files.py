"""Files that are missing, empty or in the way, full disks, and atomic writing."""

import os
import subprocess
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from napari_defocus.errors import FileError, ImageError
from napari_defocus.io import atomic_file, check_target, read_picture, write_picture
from napari_defocus.io.regular_file import open_regular


def names(folder):
    return [path.name for path in folder.iterdir()]


resource = pytest.importorskip("resource")
GRAY = np.arange(12, dtype=np.uint8).reshape(3, 4)


def test_missing_file_is_refused(tmp_path):
    with pytest.raises(FileError, match="cannot be read: No such file"):
        read_picture(tmp_path / "a.tif")


def test_folder_is_not_read(tmp_path):
    with pytest.raises(FileError, match="is a folder"):
        read_picture(tmp_path)


def test_no_more_is_allocated_than_a_file_holds(tmp_path):
    (tmp_path / "a.bin").write_bytes(b"abc")
    tracemalloc.start()
    with open_regular(tmp_path / "a.bin") as file:
        assert file.read(1) + file.read(2**40) == b"abc"
    assert tracemalloc.get_traced_memory()[1] < 2**20
    tracemalloc.stop()


def test_empty_file_is_refused(tmp_path):
    (tmp_path / "a.png").touch()
    with pytest.raises(FileError, match="is empty; TIFF, PNG, JPEG.* files can be read"):
        read_picture(tmp_path / "a.png")


@pytest.mark.parametrize("content", [b"# a text\n" * 9, b"8BPS\0\1" + bytes(99), b"\0"])
def test_other_content_is_refused(tmp_path, content):
    (tmp_path / "a.tif").write_bytes(content)
    with pytest.raises(FileError, match="of a known kind; TIFF, PNG, JPEG, .* can be read"):
        read_picture(tmp_path / "a.tif")


@pytest.mark.parametrize("head", [b"II*\0", b"MM\0*", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"])
def test_signature_alone_is_refused(tmp_path, head):
    (tmp_path / "a").write_bytes(head + bytes(3))
    with pytest.raises(FileError, match="damaged"):
        read_picture(tmp_path / "a")


def test_format_follows_from_content_not_name(tmp_path):
    write_picture(tmp_path / "a.png", GRAY)
    (tmp_path / "a.png").rename(tmp_path / "a.tif")
    np.testing.assert_array_equal(read_picture(tmp_path / "a.tif").data, GRAY)


@pytest.mark.parametrize(("name", "words"), [("a.bmp", "the suffix '.bmp'"), ("a", "no suffix")])
def test_unknown_suffix_is_not_written(tmp_path, name, words):
    with pytest.raises(
        FileError, match=f"has {words}; it should be one of .tif, .tiff, .png, .jpg"
    ):
        write_picture(tmp_path / name, GRAY)


def test_existing_file_is_replaced_only_if_allowed(tmp_path):
    write_picture(tmp_path / "a.png", GRAY)
    before = (tmp_path / "a.png").read_bytes()
    with pytest.raises(FileError, match="exists already; give another name"):
        write_picture(tmp_path / "a.png", GRAY + 1)
    assert (tmp_path / "a.png").read_bytes() == before
    write_picture(tmp_path / "a.png", GRAY + 1, overwrite=True)
    np.testing.assert_array_equal(read_picture(tmp_path / "a.png").data, GRAY + 1)
    assert names(tmp_path) == ["a.png"]


def test_file_that_appears_while_writing_is_kept(tmp_path):
    path = tmp_path / "a.json"
    during = atomic_file(path)
    during.__enter__().write(b"ours")
    path.write_text("somebody else's")
    with pytest.raises(FileError, match="exists already"):
        during.__exit__(None, None, None)
    assert path.read_text() == "somebody else's"
    assert names(tmp_path) == ["a.json"]


def test_link_is_followed(tmp_path):
    (tmp_path / "folder").mkdir()
    write_picture(tmp_path / "folder" / "a.png", GRAY)
    (tmp_path / "link.png").symlink_to(tmp_path / "folder" / "a.png")
    write_picture(tmp_path / "link.png", GRAY + 1, overwrite=True)
    assert (tmp_path / "link.png").is_symlink()
    np.testing.assert_array_equal(read_picture(tmp_path / "folder" / "a.png").data, GRAY + 1)


def test_written_file_has_default_permissions(tmp_path):
    write_picture(tmp_path / "a.png", GRAY)
    (tmp_path / "b").touch()
    assert (tmp_path / "a.png").stat().st_mode == (tmp_path / "b").stat().st_mode


def test_failure_leaves_nothing_behind(tmp_path):
    during = atomic_file(tmp_path / "a.png")
    during.__enter__().write(b"half")
    swallowed = during.__exit__(KeyboardInterrupt, KeyboardInterrupt(), None)
    assert not swallowed
    assert not names(tmp_path)


def test_target_in_a_missing_folder_is_refused(tmp_path):
    with pytest.raises(FileError, match="there is no folder"):
        check_target(tmp_path / "b" / "a.png")


def test_target_that_is_a_folder_is_refused(tmp_path):
    with pytest.raises(FileError, match="is a folder; give the name of a file to write"):
        check_target(tmp_path, overwrite=True)


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="write protection does not bind root"
)
def test_target_in_a_protected_folder_is_refused(tmp_path):
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(FileError, match="write-protected"):
            check_target(tmp_path / "a.png")
    finally:
        tmp_path.chmod(0o700)


WRITE = """
import sys, numpy as np
from napari_defocus.io import write_picture
noise = np.random.default_rng(0).integers(0, 256, (600, 600), dtype=np.uint8)
try:
    write_picture(sys.argv[1], noise, overwrite=True)
except ValueError as error:
    print(error)
"""


@pytest.mark.parametrize("suffix", [".tif", ".png", ".jpg"])
def test_file_size_limit_keeps_the_old_file(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    path.write_bytes(b"what was there")
    written = subprocess.run(
        [sys.executable, "-c", WRITE, path],
        check=True,
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000)),
    )
    assert written.stdout == f"{path} cannot be written: File too large\n"
    assert names(tmp_path) == [path.name]
    assert path.read_bytes() == b"what was there"


@pytest.fixture
def small_disk(tmp_path):
    """Mount a file system of 128 KiB."""
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=128k", "none", tmp_path],
        capture_output=True,
        check=False,
    ).returncode:
        pytest.skip("no file system can be mounted here")
    yield tmp_path
    subprocess.run(["umount", tmp_path], check=True)


@pytest.mark.parametrize("suffix", [".tif", ".png", ".jpg"])
def test_full_disk_leaves_nothing_behind(small_disk: Path, suffix):
    path = small_disk / f"a{suffix}"
    written = subprocess.run(
        [sys.executable, "-c", WRITE, path], check=True, capture_output=True, text=True
    )
    assert written.stdout == f"{path} cannot be written: No space left on device\n"
    assert not names(small_disk)


@pytest.mark.parametrize(
    ("data", "channel_axis", "words"),
    [
        (np.zeros(5), None, r"shape \(5,\); it should have rows and columns"),
        (np.zeros((0, 5)), None, r"shape \(0, 5\); it should have rows and columns"),
        (np.zeros((4, 5, 2)), -1, "an axis of 3 or 4 samples"),
        (np.zeros((4, 5, 3)), 3, "channel_axis is 3"),
        (np.zeros((4, 5), bool), None, "truth values"),
    ],
)
def test_array_that_is_not_an_image_is_refused(tmp_path, data, channel_axis, words):
    with pytest.raises(ImageError, match=words):
        write_picture(tmp_path / "a.tif", data, channel_axis=channel_axis)


def test_array_of_another_shape_than_its_source_is_refused(tmp_path):
    write_picture(tmp_path / "a.tif", GRAY)
    picture = read_picture(tmp_path / "a.tif")
    with pytest.raises(ImageError, match=r"shape \(4, 3\); it should be \(3, 4\)"):
        write_picture(tmp_path / "b.tif", GRAY.T, picture)


def test_type_that_no_file_holds_is_refused(tmp_path):
    with pytest.raises(FileError, match="cannot be written"):
        write_picture(tmp_path / "a.tif", np.array([[{}]]))
    assert not names(tmp_path)


def test_import_loads_no_format_library():
    code = "import sys, napari_defocus.io; print({'PIL', 'tifffile', 'torch'} & {*sys.modules})"
    shown = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert shown.stdout == "set()\n"
