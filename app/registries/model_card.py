"""The section of a model card that carries a verdict; whatever else the card says stays."""

import re
from collections.abc import Mapping

BEGIN, END = "<!-- salience-audit: begin -->", "<!-- salience-audit: end -->"
_SECTION = re.compile(f"{re.escape(BEGIN)}.*?{re.escape(END)}", re.DOTALL)
_MARKUP = re.compile(r"[|<>\r\n]")


def with_verdict(card: str, tags: Mapping[str, str]) -> str:
    """The card with the section, in place of the one that it has."""
    rows = [f"| {_plain(name)} | {_plain(value)} |" for name, value in tags.items()]
    section = "\n".join([BEGIN, "## Salience audit", "", "| | |", "| --- | --- |", *rows, END])
    if _SECTION.search(card):
        return _SECTION.sub(lambda _: section, card, count=1)
    return f"{card.rstrip()}\n\n{section}\n" if card.strip() else f"{section}\n"


def _plain(text: str) -> str:
    return _MARKUP.sub(" ", text)
