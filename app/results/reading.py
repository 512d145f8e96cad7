"""Reads stored results documents, those of earlier versions among them."""

from collections.abc import Mapping

from app.domain.comparisons.difference_rows import UNTESTED
from app.domain.comparisons.method_ranks import method_ranks
from app.domain.findings import findings_in
from app.domain.results.compared_meaning import judge_comparison
from app.domain.results.comparisons import ComparisonResults, DifferenceRow, SideTotal
from app.domain.results.documents import ResultsDocument
from app.domain.results.meaning import judge_numbers
from app.results.subjects import models_alone


def current(document: ResultsDocument) -> ResultsDocument:
    """The document with all that this version's documents have.

    Earlier versions did not say which numbers say nothing. What is known of chance they did not keep, so that flips,
    counts and controls alone decide.
    """
    if "findings" not in document:
        complete(document, classes=None)
    return document


def is_current(comparison: ComparisonResults) -> bool:
    """Whether a stored comparison says which of its numbers say nothing."""
    rows: list[DifferenceRow | SideTotal] = [*comparison["differences"][:1], *comparison["sides"][0]["totals"][:1]]
    return all("says_nothing" in row for row in rows)


def current_comparison(comparison: ComparisonResults, documents: Mapping[str, ResultsDocument]) -> ComparisonResults:
    """The tables with all that this version's have; ``documents`` are the results of its audits that are left."""
    comparison["differences"] = [{**UNTESTED, "says_nothing": [], **row} for row in comparison["differences"]]
    judge_comparison(comparison, documents)
    return comparison


def complete(document: ResultsDocument, classes: int | None) -> None:
    """Add what is made of the numbers alone: which of them say nothing, and what to know first."""
    judge_numbers(document, classes)
    alone = models_alone(document)
    document["method_ranks"] = alone["method_ranks"] = [*method_ranks(alone)]
    document["findings"] = findings_in(alone)
