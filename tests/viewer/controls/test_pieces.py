"""Panels whose controls are made piece by piece."""

import pytest
from qtpy.QtWidgets import QLabel

from napari_defocus.viewer.checking.check import CheckWidget
from napari_defocus.viewer.deblurring.deblur import DeblurWidget
from napari_defocus.viewer.editing.edit import EditWidget


@pytest.mark.parametrize("panel", [CheckWidget, DeblurWidget, EditWidget])
def test_a_panel_in_pieces_has_the_same_controls_as_one_made_at_once(viewer, qtbot, photo, panel):
    viewer.add_image(photo, rgb=True)
    whole, growing = panel(viewer), panel(viewer, at_once=False)
    for each in (whole, growing):
        qtbot.addWidget(each.native)
    assert len(growing) == 0
    pieces = 0
    while growing.make_piece():
        pieces += 1
    assert pieces > 8
    names = [control.name for control in whole]
    assert [control.name for control in growing] == names
    assert growing.image.value is whole.image.value is viewer.layers[0]
    visible = [control.native.isVisibleTo(whole.native) for control in whole]
    assert [control.native.isVisibleTo(growing.native) for control in growing] == visible


def test_a_step_that_is_opened_grows_while_the_window_works_and_is_shown_when_complete(
    open_widget, viewer, until, photo
):
    viewer.add_image(photo, rgb=True)
    dock = open_widget("Defocus")
    dock.step("Map")
    dock._tabs.setCurrentIndex(2)
    area = dock._tabs.widget(2)
    panel = area.widget().children()[-1]
    loading = area.widget().findChild(QLabel)
    assert loading.text() == "loading…"
    assert loading.isVisible()
    assert not panel.isVisible()
    until(panel.isVisible)
    assert not loading.isVisible()
    assert dock.step("Deblur").native is panel
    assert dock.step("Deblur").run_button.native.isVisible()


def test_layers_that_change_while_a_panel_grows_are_offered(viewer, qtbot, photo):
    growing = DeblurWidget(viewer, at_once=False)
    qtbot.addWidget(growing.native)
    for _ in range(12):
        assert growing.make_piece()
    image = viewer.add_image(photo, rgb=True)
    growing.complete()
    assert growing.image.value is image
