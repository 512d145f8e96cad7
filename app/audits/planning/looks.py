"""How often an audit looks at its samples in one condition: once, or once for each label that one of a batch has."""

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from math import ceil
from typing import NamedTuple, Self

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.audits.planning.samples import Chosen
from app.db.tables import DatasetRow, SampleRow
from app.domain.protocol import Protocol
from app.domain.samples.label_mapping import LabelMapping
from app.domain.vocabulary import SalienceTarget

Range = tuple[int, int]
"""Samples [start, stop) of an audit."""
Labels = Sequence[tuple[int, ...]]
"""Those of each sample of an audit."""


class Looks(NamedTuple):
    """Images looked at; ``padded`` with those that fill up the last batch of each shard. ``alone`` by methods to which
    each image goes without others, and so for its own labels alone."""

    samples: int
    padded: int
    alone: int

    @classmethod
    def of(cls, ranges: Iterable[Range], batch: int, labels: Labels | None) -> Self:
        """In batches of so many, from the start of every range; ``labels`` where each of them is explained."""
        if labels is None:
            sizes = [stop - start for start, stop in ranges]
            return cls(sum(sizes), sum(ceil(size / batch) * batch for size in sizes), sum(sizes))
        batches = [
            labels[place : min(place + batch, stop)] for start, stop in ranges for place in range(start, stop, batch)
        ]
        times = [max(1, len({label for own in one for label in own})) for one in batches]
        alone = sum(max(1, len(set(own))) for one in batches for own in one)
        return cls(sum(len(one) * each for one, each in zip(batches, times, strict=True)), batch * sum(times), alone)


def explained_labels(
    session: Session, dataset: DatasetRow, chosen: Chosen, protocol: Protocol, mapping: LabelMapping
) -> Labels | None:
    """None where one class of each image is explained: the whole batch goes through the network once."""
    if not mapping.several or protocol.salience.target is not SalienceTarget.LABEL:
        return None
    query = select(SampleRow.label).where(SampleRow.dataset_id == dataset.id, SampleRow.position.is_not(None))
    positives: Callable[[str | None], tuple[int, ...]] = cache(mapping.positives)
    labels = [positives(label) for label in session.scalars(query.order_by(SampleRow.position))]
    return labels if chosen.positions is None else [labels[position] for position in chosen.positions]
