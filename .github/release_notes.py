"""Notes of a release, from the changelog: ``python .github/release_notes.py v0.1.0``."""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_HEADLINE = re.compile(r"^## \[(?P<version>[^\]]+)\](?: - (?P<date>.+))?$", re.MULTILINE)


def release_notes(tag: str, version: str, changelog: str) -> str:
    """Return the part of a changelog about a version.

    Parameters
    ----------
    tag : str
        Tag of the release: the version behind a "v".
    version : str
        Version of the package.
    changelog : str
        Text of CHANGELOG.md.

    Raises
    ------
    ValueError
        If tag and version differ, or if the changelog does not say when it was released.
    """
    if tag != f"v{version}":
        raise ValueError(f"the tag {tag} is not that of version {version}: v{version}")
    headlines = list(_HEADLINE.finditer(changelog))
    for headline, following in zip(headlines, [*headlines[1:], None], strict=True):
        if headline["version"] == version:
            if not re.fullmatch(r"\d{4}-\d\d-\d\d", headline["date"] or ""):
                raise ValueError(
                    f"CHANGELOG.md does not say the day on which {version} is released"
                )
            return changelog[headline.end() : following and following.start()].strip() + "\n"
    raise ValueError(f"CHANGELOG.md does not name version {version}")


def _package_version() -> str:
    code = (ROOT / "napari_defocus" / "version.py").read_text(encoding="utf-8")
    return code.partition('__version__ = "')[2].partition('"')[0]


if __name__ == "__main__":
    try:
        text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
        sys.stdout.write(release_notes(sys.argv[1], _package_version(), text))
    except ValueError as error:
        sys.exit(f"Error: {error}")
