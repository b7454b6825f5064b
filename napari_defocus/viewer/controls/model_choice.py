"""Drop-down list of models, with a button to add a weights file."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from magicgui.widgets import ComboBox, Container, PushButton

from ...models import list_models
from ...models.weights import SUFFIXES

if TYPE_CHECKING:
    from ...networks.descriptor import Task


class ModelChoice(Container[Any]):
    """Drop-down list of the models for a task, and a button to add a weights file.

    Parameters
    ----------
    task : {"single", "dual", "deblur"}
        Task of the models that are listed.
    """

    def __init__(self, task: "Task", **kwargs: Any) -> None:
        self._task = task
        self._auto = "auto"
        self._files: list[str] = []
        self.names = ComboBox(choices=self._choices, nullable=False)
        self.browse = PushButton(text="…", tooltip="Add a weights file of your own")
        self.browse.max_width = 34
        super().__init__(
            widgets=[self.names, self.browse], layout="horizontal", labels=False, **kwargs
        )
        self.margins = (0, 0, 0, 0)
        self.browse.changed.connect(self._browse)
        self.names.changed.connect(self._explain)
        self._explain()

    @property
    def value(self) -> str:
        """Name of the model or path of its weights file; can be set to either."""
        return str(self.names.value)

    @value.setter
    def value(self, name_or_path: "str | os.PathLike[str]") -> None:
        name = os.fspath(name_or_path)
        listed = {value for _, value in self._choices()}
        if name not in listed:
            self._files.append(name)
            self.names.reset_choices()
        self.names.value = name

    @property
    def task(self) -> "Task":
        """Task of the listed models; setting it returns to "auto" if the model has another."""
        return self._task

    @task.setter
    def task(self, task: "Task") -> None:
        if task != self._task:
            self._task = task
            self.names.reset_choices()

    def show_auto(self, name: str) -> None:
        """Show which model "auto" currently stands for; an empty name shows none."""
        self._auto = f"auto: {name}" if name else "auto"
        self.names.reset_choices()
        self._explain()

    def _choices(self, _: Any = None) -> list[tuple[str, str]]:
        shipped = [card.name for card in list_models() if card.task == self._task]
        own = [(Path(path).name, path) for path in self._files]
        return [(self._auto, "auto"), *((name, name) for name in shipped), *own]

    def _explain(self) -> None:
        about = {card.name: f"{card.description} ({card.license})" for card in list_models()}
        default = f"{self._auto}: the model that suits the image"
        own = default if self.value == "auto" else self.value
        self.names.tooltip = about.get(self.value, own)

    def _browse(self) -> None:
        from qtpy.QtWidgets import QFileDialog

        patterns = " ".join(f"*{suffix}" for suffix in SUFFIXES)
        path, _ = QFileDialog.getOpenFileName(
            self.native, "Add a weights file", "", f"Weights ({patterns})"
        )
        if path:
            self.value = path
