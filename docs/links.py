"""External links of README, documentation and project files.

``python docs/links.py`` lists them; ``python docs/links.py --open`` (``make links``) requests each,
and fails where a page is not there.
"""

import re
import sys
import urllib.error
import urllib.request
from collections import defaultdict
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parents[1]
_PATTERNS = "*.md", "docs/**/*.md", "training/*.md", "*.cff", "*.toml", "*.yml", ".github/**/*.*"
_LINK = re.compile(r"https?://[^\s)>\"'`]+")
OWN = "https://github.com/napari-defocus/napari-defocus/blob/main/"
_SECONDS = 20


def main() -> None:
    links = external_links()
    failures = {}
    for link, files in links.items():
        state = problem(link) or (request(link) if "--open" in sys.argv[1:] else "")
        print(f"{link}   {', '.join(files)}   {state}")
        failures[link] = state
    if any(failures.values()):
        sys.exit(1)


def external_links() -> dict[str, list[str]]:
    """Return the external links, each with the files that hold it."""
    links = defaultdict(set)
    for path in (path for pattern in _PATTERNS for path in ROOT.glob(pattern)):
        for link in _LINK.findall(path.read_text("utf-8")):
            if "${{" not in link:  # a name that a workflow fills in
                links[link].add(path.relative_to(ROOT).as_posix())
    return {link: sorted(files) for link, files in sorted(links.items())}


def problem(link: str) -> str:
    """Return what is wrong with the form of a link, or nothing."""
    parts = urlsplit(link)
    if parts.scheme != "https":
        return "not https"
    if not re.fullmatch(r"([a-z0-9-]+\.)+[a-z]{2,}", parts.netloc):
        return "no host"
    if link.endswith((".", ",", ";", ":")):
        return "ends in punctuation"
    if link.startswith(OWN) and not (ROOT / parts.path.partition("/blob/main/")[2]).exists():
        return "no such file in the repository"
    return ""


def request(link: str) -> str:
    """Return why the page of a link cannot be read, or nothing."""
    question = urllib.request.Request(link, headers={"User-Agent": "Mozilla/5.0"})
    try:
        with urllib.request.urlopen(question, timeout=_SECONDS):
            return ""
    except (OSError, urllib.error.URLError) as error:
        return str(error)


if __name__ == "__main__":
    main()
