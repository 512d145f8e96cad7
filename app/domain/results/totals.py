"""Rows of an audit's results that stand for all of its samples."""

from app.domain.results.documents import ResultsDocument
from app.domain.results.summaries import Summary
from app.domain.vocabulary import GroupBy

MACRO = (GroupBy.TOTAL, "macro")


def macro_totals(document: ResultsDocument) -> list[Summary]:
    """Those over the sources, each of the same weight."""
    return [row for row in document["summaries"] if (row["group_by"], row["group"]) == MACRO]
