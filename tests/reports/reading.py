"""Reads a report as a browser would: its tables, its pictures, what it would load."""

import base64
import io
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

import numpy as np
from PIL import Image


@dataclass
class Picture:
    """An image of the gallery."""

    alt: str
    address: str

    def pixels(self) -> np.ndarray:
        data = base64.b64decode(self.address.removeprefix("data:image/jpeg;base64,"))
        return np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).astype(np.float64)


@dataclass
class Report(HTMLParser):
    """What an HTML page says and asks for."""

    text: str
    tables: dict[str, list[list[str]]] = field(default_factory=dict)
    pictures: list[Picture] = field(default_factory=list)
    headings: list[str] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self._rows: list[list[str]] = []
        self._captions: dict[str, str] = {}
        """By id: they stand before their tables, which name them."""
        self._caption = ""
        self._collecting: str | None = None
        self.feed(self.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.tags.append(tag)
        self.ids += [given["id"]] if "id" in given else []
        self.addresses += [given[name] for name in ("src", "href", "xlink:href", "action", "data") if name in given]
        if tag == "img":
            self.pictures.append(Picture(given["alt"], given["src"]))
        if tag == "svg":
            assert given["role"] == "img"
            self.labels.append(given["aria-label"])
        if tag == "table":
            self._rows, self._table = [], given["aria-labelledby"]
        if given.get("class") == "caption":
            self._caption = given["id"]
            self._captions[self._caption] = ""
        if tag == "tr":
            self._rows.append([])
        if tag == "sup":  # a letter that the notes below the table explain
            self._rows[-1][-1] += " says nothing: "
        if tag in {"td", "th"}:
            self._rows[-1].append("")
        if tag in {"h1", "h2", "h3", "h4"}:
            self.headings.append("")
        if tag in {"td", "th", "h1", "h2", "h3", "h4"} or given.get("class") == "caption":
            self._collecting = tag

    def handle_endtag(self, tag: str) -> None:
        if tag == self._collecting:
            self._collecting = None
        if tag == "table":
            self.tables[self._captions[self._table]] = [row for row in self._rows if row]

    def handle_data(self, data: str) -> None:
        if self._collecting in {"td", "th"}:
            self._rows[-1][-1] += data
        elif self._collecting in {"p", "summary"}:
            self._captions[self._caption] += data
        elif self._collecting is not None:
            self.headings[-1] += data

    def table(self, beginning: str) -> list[list[str]]:
        """The one whose caption begins so."""
        found = [rows for caption, rows in self.tables.items() if caption.startswith(beginning)]
        assert len(found) == 1, list(self.tables)
        return found[0]

    def words(self) -> str:
        """All text, without tags and figures."""
        plain = re.sub(r"<svg.*?</svg>|<style.*?</style>|<[^>]+>", " ", self.text, flags=re.DOTALL)
        return re.sub(r"\s+", " ", plain)


def written(value: float | None, digits: int = 3) -> str:
    """A number as the report writes it."""
    return "\N{EN DASH}" if value is None else f"{value:.{digits}f}".replace("-", "\N{MINUS SIGN}")
