"""The command `app`."""

import sys

import pytest
from typer.testing import CliRunner

from napari_defocus.cli.commands import app, run


def test_help_says_what_it_opens():
    done = CliRunner().invoke(app, ["app", "--help"])
    assert done.exit_code == 0
    assert "Defocus panel" in done.output


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems have a screen")
def test_without_a_screen_it_ends_with_a_sentence(monkeypatch, capsys):
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "argv", ["napari-defocus", "app"])
    assert run() != 0
    assert "there is no screen" in capsys.readouterr().err


def test_without_napari_the_extra_is_named(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "napari", None)
    monkeypatch.setattr("napari_defocus.cli.window.find_spec", lambda name: None)
    monkeypatch.setattr(sys, "argv", ["napari-defocus", "app"])
    assert run() != 0
    assert "napari-defocus[all]" in capsys.readouterr().err
