"""Registry of formats: what a file is taken for, and what is said where it cannot be read."""

import inspect
import sys
from pathlib import Path

import pytest

from napari_defocus.errors import FileError, OptionError
from napari_defocus.io import formats, read_picture
from napari_defocus.io.formats import FORMATS, FileFormat, detect_format, readable_suffixes

INSTALLED = [each for each in FORMATS if each.is_installed()]


@pytest.mark.parametrize("each", INSTALLED, ids=lambda each: each.name)
def test_functions_of_a_format_exist_and_take_what_the_table_says(each):
    path, *options = inspect.signature(formats.import_function(each.reader)).parameters
    assert path == "path"
    assert set(each.reader_options) <= set(options)
    for name in filter(None, (each.writer, each.checker)):
        assert callable(formats.import_function(name))


def test_suffixes_stand_for_one_format_each():
    suffixes = [suffix for each in FORMATS for suffix in each.suffixes]
    assert len(suffixes) == len(set(suffixes))
    assert all(suffix == suffix.lower() and suffix.startswith(".") for suffix in suffixes)


def test_the_documentation_lists_all_suffixes_of_microscopes():
    page = Path(__file__).parents[2] / "docs" / "reference" / "files-and-batches.md"
    text = page.read_text("utf-8")
    suffixes = [s for each in FORMATS if "microscopy" in each.reader for s in each.suffixes]
    assert len(suffixes) > 5
    assert [suffix for suffix in suffixes if f"`{suffix}`" not in text] == []


def test_readable_suffixes_are_those_of_the_table():
    assert set(readable_suffixes()) >= {s for each in INSTALLED for s in each.suffixes}


ALIKE = FileFormat("Alike", (".alike",), "png:read_png", rb"II\*\0", suffix_decides=True)


@pytest.mark.parametrize(
    ("name", "head", "kind"),
    [
        ("a.alike", b"II*\0", "Alike"),
        ("a.tif", b"II*\0", "TIFF"),
        ("a.alike", b"\x89PNG\r\n\x1a\n", "PNG"),
        ("a.png", b"\xff\xd8\xff\xe0", "JPEG"),
        ("a", b"MM\0*", "TIFF"),
        ("a.nef", b"MM\0*", "camera raw"),
        ("a.NEF", b"anything", "camera raw"),
    ],
)
def test_content_decides_and_suffix_where_contents_are_alike(
    tmp_path, monkeypatch, name, head, kind
):
    monkeypatch.setattr(formats, "FORMATS", (*FORMATS, ALIKE))
    (tmp_path / name).write_bytes(head + bytes(99))
    assert detect_format(tmp_path / name).name == kind


def test_unknown_file_is_refused_with_a_list_of_what_can_be_read(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"%PDF-1.7" + bytes(99))
    with pytest.raises(
        FileError, match="of a known kind; TIFF, PNG, JPEG.* files can be read"
    ) as e:
        read_picture(tmp_path / "a.jpg")
    for each in FORMATS:
        assert each.name in str(e.value)


@pytest.mark.parametrize("each", [f for f in FORMATS if f.packages], ids=lambda each: each.name)
def test_missing_package_is_answered_by_the_extra_to_install(tmp_path, monkeypatch, each):
    monkeypatch.setitem(sys.modules, each.packages[0], None)
    with pytest.raises(OptionError, match=rf'pip install "napari-defocus\[{each.extra}\]"'):
        each.check_installed(tmp_path / f"a{each.suffixes[0]}")
    (tmp_path / "b.txt").write_text("a text")
    with pytest.raises(FileError, match=rf"{each.name}.* with napari-defocus\[{each.extra}\]"):
        detect_format(tmp_path / "b.txt")
