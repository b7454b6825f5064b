"""Code blocks of Markdown pages, in the order in which they stand."""

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

_BLOCK = re.compile(
    r"^```(?P<language>\w*)\n(?P<text>.*?)^```\n(?P<after>\s*<!-- not run: [^>]+ -->)?",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Block:
    """A code block; `run` is false if a comment behind it says that it is not run."""

    language: str
    text: str
    run: bool

    @property
    def commands(self) -> list[list[str]]:
        """The words of each command of a block of the shell."""
        lines = self.text.replace("\\\n", " ").splitlines()
        words = [shlex.split(line, comments=True) for line in lines]
        return [each for each in words if each]


def blocks(path: Path) -> list[Block]:
    """Return the code blocks of a page."""
    text = path.read_text(encoding="utf-8")
    return [
        Block(each["language"], each["text"], each["after"] is None)
        for each in _BLOCK.finditer(text)
    ]
