"""Report of an evaluation: its rows and tables."""

from dataclasses import dataclass, field
from pathlib import Path

from training.evaluation.deblurring import INPUT
from training.evaluation.tables import Row, gains, markdown, means, write_csv


@dataclass(frozen=True)
class ScoreReport:
    """Rows of restored photographs, and of maps; a row is a method on a scene.

    Attributes
    ----------
    contamination_warning : str, optional
        A warning that the scenes may have been trained on.
    """

    contamination_warning: str | None = None
    deblurring: list[Row] = field(default_factory=list)
    maps: list[Row] = field(default_factory=list)

    def text(self) -> str:
        """Format means over scenes as Markdown, for photographs with the gain on the input."""
        parts = [] if self.contamination_warning is None else [self.contamination_warning]
        if self.deblurring:
            compared = [key for key in ("psnr", "lpips_alex") if key in self.deblurring[0]]
            parts.append(markdown(means(self.deblurring)))
            parts.append(
                "Mean difference to the input, and its 95 % confidence interval over "
                f"{len({row['scene'] for row in self.deblurring})} scenes:"
            )
            parts.append(markdown(gains(self.deblurring, INPUT, compared)))
        if self.maps:
            parts.append(markdown(means(self.maps)))
        return "\n\n".join(parts) + "\n"

    def write(self, folder: Path) -> None:
        """Write ``table.md``, the means, and ``table.csv``, every scene."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "table.md").write_text(self.text(), encoding="utf-8")
        write_csv(folder / "table.csv", [*self.deblurring, *self.maps])
