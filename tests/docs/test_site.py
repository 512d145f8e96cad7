"""The site builds without a warning, and its pages ask nothing of other hosts."""

import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.docs.pages import ROOT
from tests.waiting import PATIENCE_SECONDS

LOADING = {"src", "srcset", "poster", "data", "action"}
"""Attributes whose address a browser fetches; a link's ``href`` it fetches too, that of ``<a>`` on a click alone."""


class _Addresses(HTMLParser):
    """What a page loads, and its pictures without a description."""

    def __init__(self) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.undescribed: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.loaded += [value for name, value in values.items() if name in LOADING]
        self.loaded += [values["href"]] if tag == "link" and "href" in values else []
        if tag == "img" and not values.get("alt"):
            self.undescribed.append(values.get("src", ""))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False)
    assert ended.returncode == 0, ended.stderr
    return folder


def test_pages_load_nothing_from_elsewhere(site: Path) -> None:
    pages = sorted(site.rglob("*.html"))
    assert {"index.html", "tutorial.html", "measures.html", "api.html"} <= {page.name for page in pages}
    for page in pages:
        found = _Addresses()
        found.feed(page.read_text(encoding="utf-8"))
        assert [address for address in found.loaded if urlsplit(address).netloc] == [], page
        assert found.undescribed == [], page


def test_styles_load_nothing_from_elsewhere(site: Path) -> None:
    styles = list(site.rglob("*.css"))
    assert styles
    for style in styles:
        text = style.read_text(encoding="utf-8")
        assert "url(http" not in text
        assert "url(//" not in text
        assert "@import" not in text


def test_only_pages_and_pictures_are_published(site: Path) -> None:
    assert {path.suffix for path in (site / "pictures").iterdir()} <= {".png", ".svg"}


def test_pictures_are_small() -> None:
    pictures = [path for path in (ROOT / "docs" / "pictures").iterdir() if path.suffix in {".png", ".svg"}]
    assert pictures
    assert [path.name for path in pictures if path.stat().st_size > 150_000] == []
