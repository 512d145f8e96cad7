"""What a reader of an audit's results should know first.

A finding is made from the results document alone, so that it can be made again for an old one. A new kind is a file
here and a line below.
"""

from collections.abc import Callable, Iterator

from app.domain.findings.flipped_sides import flipped_sides
from app.domain.findings.ignored_images import ignored_images
from app.domain.findings.method_verdicts import method_verdicts
from app.domain.findings.random_twins import random_twins
from app.domain.findings.shortcuts import shortcuts
from app.domain.findings.silent_numbers import silent_numbers
from app.domain.findings.trained_on import trained_on
from app.domain.findings.undivided_classes import undivided_classes
from app.domain.results.documents import ResultsDocument
from app.domain.results.findings import Finding, Level

__all__ = ["FINDERS", "Finding", "Level", "findings_in"]

FINDERS: tuple[Callable[[ResultsDocument], Iterator[Finding]], ...] = (
    shortcuts,
    ignored_images,
    silent_numbers,
    flipped_sides,
    trained_on,
    random_twins,
    undivided_classes,
    method_verdicts,
)
"""In the order of a level's findings."""

_GRAVITY = tuple(Level)


def findings_in(document: ResultsDocument) -> list[Finding]:
    """Of a results document, the gravest level first."""
    found = [finding for find in FINDERS for finding in find(document)]
    return sorted(found, key=lambda finding: _GRAVITY.index(finding["level"]))
