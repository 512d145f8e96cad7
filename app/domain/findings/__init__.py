"""What a reader of an audit's results should know first.

A finding is made from the results document alone, so that it can be made again for an old one. A new kind is a file
here and a line below.
"""

from collections.abc import Callable, Iterator
from typing import Any

from app.domain.findings.form import Finding, Level
from app.domain.findings.ignored_images import ignored_images
from app.domain.findings.shortcuts import shortcuts
from app.domain.findings.silent_numbers import silent_numbers
from app.domain.findings.trained_on import trained_on

__all__ = ["FINDERS", "Finding", "Level", "findings_in"]

FINDERS: tuple[Callable[[Any], Iterator[Finding]], ...] = (shortcuts, ignored_images, silent_numbers, trained_on)
"""In the order of a level's findings."""

_GRAVITY = tuple(Level)


def findings_in(document: Any) -> list[Finding]:
    """Of a results document, the gravest level first."""
    found = [finding for find in FINDERS for finding in find(document)]
    return sorted(found, key=lambda finding: _GRAVITY.index(finding["level"]))
