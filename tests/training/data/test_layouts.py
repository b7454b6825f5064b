"""Small imitations of the folders of real dual-pixel scenes."""

import numpy as np
import pytest
import tifffile
from PIL import Image
from skimage.data import coffee
from skimage.transform import resize

from training.data.dpdd import dpdd_scenes
from training.data.pixel4 import pixel4_scenes

BLACK, WHITE = 1024, 16383


def write_raw(path, light):
    raw = np.rint(BLACK + (WHITE - BLACK) * light).astype(np.uint16)
    Image.fromarray(raw).save(path, compress_level=1)


@pytest.fixture(scope="module")
def pixel4_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pixel4")
    (folder / "calibration").mkdir()
    light = 0.4 * resize(coffee()[..., 1], (1512, 2016), order=1)
    for where, name in ((folder, "003"), (folder / "calibration", "white_sheet")):
        view = light if name == "003" else np.full_like(light, 0.5)
        write_raw(where / f"{name}_left.png", view)
        write_raw(where / f"{name}_right.png", 0.8 * view)
    focused = np.zeros((1008, 1344), np.uint16)
    focused[1:-1, 1:-1] = np.rint(30000 * light[253:1259, 337:1679])
    Image.fromarray(focused).save(folder / "003_aif.png", compress_level=1)
    defocus = np.full((1008, 1344), 51, np.uint8)
    defocus[400:500, 600:700] = 0
    Image.fromarray(defocus).save(folder / "003_map.png")
    return folder


def test_pixel4_views_are_central_linear_and_equally_bright(pixel4_folder):
    (scene,) = pixel4_scenes(pixel4_folder)
    expected = 0.4 * resize(coffee()[..., 1], (1512, 2016), order=1)[252:1260, 336:1680]
    assert scene.name == "003"
    np.testing.assert_allclose(scene.left, expected, atol=1e-4)
    np.testing.assert_allclose(scene.right, scene.left, atol=1e-3)


def test_pixel4_all_in_focus_is_as_bright_as_the_views_but_for_its_empty_rim(pixel4_folder):
    (scene,) = pixel4_scenes(pixel4_folder)
    inner = np.s_[1:-1, 1:-1]
    np.testing.assert_allclose(scene.all_in_focus[inner], scene.left[inner], atol=1e-3)
    assert not scene.all_in_focus[0].any()


def test_pixel4_truth_counts_away_from_holes_and_borders(pixel4_folder):
    (scene,) = pixel4_scenes(pixel4_folder)
    np.testing.assert_allclose(scene.truth[300, 300], 0.2)
    assert scene.valid[300, 300]
    for y, x in ((450, 650), (397, 650), (10, 300), (300, 1330)):
        assert not scene.valid[y, x]


def test_dpdd_scenes_are_read_in_their_depth(tmp_path):
    picture = coffee()[:60, :80]
    tifffile.imwrite(tmp_path / "04_input.tif", picture.astype(np.uint16) * 257, photometric="rgb")
    for part, fill in (("target", 10), ("dpdnet", 20), ("view0", 30), ("view1", 40)):
        Image.fromarray(np.full_like(picture, fill)).save(tmp_path / f"04_{part}.png")
    (scene,) = dpdd_scenes(tmp_path)
    np.testing.assert_allclose(scene.blurred, picture / 255, atol=1e-6)
    images = (scene.target, scene.dpdnet, scene.left, scene.right)
    assert [round(float(image.mean()) * 255) for image in images] == [10, 20, 30, 40]
