"""Files of unknown kinds, which readers of napari's plugins read without Qt."""

import numpy as np
import pytest

from napari_defocus.batch.plan import make_plan
from napari_defocus.batch.run import run_plan
from napari_defocus.batch.settings import Settings
from napari_defocus.errors import FileError
from napari_defocus.io import Length, read_picture

npe2 = pytest.importorskip("npe2", reason="npe2 is not installed")
STACK = np.arange(4 * 6 * 8, dtype=np.uint16).reshape(4, 6, 8)


@pytest.fixture
def read_stripes():
    """Register a plugin that reads ``*.stripes``, by a function that a test sets."""
    plugin = npe2.DynamicPlugin("stripes-plugin", plugin_manager=npe2.PluginManager.instance())
    makers = []
    with plugin:

        @plugin.contribute.reader(filename_patterns=["*.stripes"])
        def get_reader(path):
            return lambda paths: makers[0](paths)

        yield makers


def make(folder, makers, layers):
    makers.append(lambda _: layers)
    (folder / "a.stripes").write_bytes(b"stripes")
    return read_picture(folder / "a.stripes")


def test_plugin_reads_what_nobody_else_knows(tmp_path, read_stripes):
    options = {"scale": (2.0, 0.5, 0.25), "units": "um"}
    picture = make(tmp_path, read_stripes, [(STACK, options, "image"), (STACK, {}, "labels")])
    np.testing.assert_array_equal(picture.data, STACK)
    assert (picture.axes, picture.read_by) == ("QYX", "the plugin stripes-plugin")
    assert picture.metadata.pixel_size == {"Y": Length(0.5, "um"), "X": Length(0.25, "um")}


@pytest.mark.parametrize(
    ("data", "options", "axes"),
    [
        (np.moveaxis(STACK, 0, -1), {"channel_axis": 2}, "CYX"),
        (STACK[:3].transpose(1, 2, 0), {}, "YXS"),
        (STACK[:3].transpose(1, 2, 0), {"rgb": False}, "QYX"),
        ([STACK, STACK[:, ::2, ::2]], {"multiscale": True}, "QYX"),
    ],
)
def test_layers_become_pictures_as_in_the_viewer(tmp_path, read_stripes, data, options, axes):
    picture = make(tmp_path, read_stripes, [(data, options, "image")])
    assert picture.axes == axes
    assert picture.data.ndim == len(axes)


def test_plugin_that_fails_is_named(tmp_path, read_stripes):
    read_stripes.append(lambda _: 1 / 0)
    (tmp_path / "a.stripes").write_bytes(b"stripes")
    with pytest.raises(FileError, match="cannot be read by the plugin stripes-plugin: division"):
        read_picture(tmp_path / "a.stripes")


@pytest.mark.parametrize("layers", [[(None,)], [(np.zeros((3, 2)), {}, "points")]])
def test_plugin_without_an_image_leaves_the_file_unknown(tmp_path, read_stripes, layers):
    with pytest.raises(FileError, match="is not an image of a known kind"):
        make(tmp_path, read_stripes, layers)


def test_reader_of_napari_itself_takes_part(tmp_path):
    pytest.importorskip("napari")
    np.save(tmp_path / "a.npy", STACK)
    picture = read_picture(tmp_path / "a.npy")
    np.testing.assert_array_equal(picture.data, STACK)
    assert picture.read_by == "the plugin napari"


def test_scripts_are_never_run(tmp_path):
    (tmp_path / "a.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    with pytest.raises(FileError, match="is not an image of a known kind"):
        read_picture(tmp_path / "a.py")
    assert not (tmp_path / "ran").exists()


def test_a_batch_says_whose_code_read_a_file(tmp_path, read_stripes):
    make(tmp_path, read_stripes, [(STACK, {}, "image")])
    plan = make_plan([tmp_path / "a.stripes"], tmp_path / "out", Settings(task="map"))
    *_, last = run_plan(plan)
    assert "it was read by the plugin stripes-plugin" in last.outcome.message
