"""Reads stored results documents, those of earlier versions among them."""

from typing import Any

from app.domain.findings import findings_in
from app.domain.results.meaning import judge_numbers

Json = dict[str, Any]


def current(document: Json) -> Json:
    """The document with all that this version's documents have.

    Earlier versions did not say which numbers say nothing. What is known of chance they did not keep, so that flips,
    counts and controls alone decide.
    """
    if "findings" not in document:
        complete(document, classes=None)
    return document


def complete(document: Json, classes: int | None) -> None:
    """Add what is made of the numbers alone: which of them say nothing, and what to know first."""
    judge_numbers(document, classes)
    document["findings"] = findings_in(document)
