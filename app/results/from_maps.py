"""What of a results document only all stored maps together tell."""

from collections.abc import Mapping
from typing import Protocol as Interface

from app.domain.results.documents import ResultsDocument
from app.domain.statistics.aggregates import Floats
from app.domain.summaries.groups import Groups


class FromMaps(Interface):
    """What is made of the stored maps once all of them are there."""

    @property
    def chances(self) -> Mapping[int, Mapping[str, Floats]]:
        """(N,) by subject and view: its map against the given map of another sample; NaN where there is none."""

    @property
    def controls(self) -> Mapping[str, Floats]:
        """(N,) the control of each pairing that has any, by measure; NaN where there is none."""

    def add_to(self, document: ResultsDocument, groups: Groups) -> None:
        """Numbers beside those of the scores."""
