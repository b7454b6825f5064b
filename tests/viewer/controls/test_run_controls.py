"""Controls of a run: its status is shown whole."""

from napari_defocus.viewer.controls.run_controls import WrappedLabel

TEXT = "done: 29% of the pixels changed; the rest was sharp, unsure or left alone"


def test_label_makes_room_for_its_lines_when_it_gets_narrower(qtbot):
    label = WrappedLabel()
    qtbot.addWidget(label.native)
    label.native.resize(900, 20)
    label.native.show()
    label.set_text(TEXT)
    one_line = label.native.minimumHeight()
    label.native.resize(250, 20)
    assert label.native.minimumHeight() >= 2 * one_line - 6
    assert label.native.minimumHeight() == label.native.heightForWidth(label.native.width())
