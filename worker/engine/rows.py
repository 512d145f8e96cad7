"""From what the engine found to rows of the table ``sample_scores``, as the child sends them."""

from collections.abc import Iterator, Sequence
from math import isnan
from typing import TypeVar

import torch
from torch import Tensor

from app.domain.protocol import Protocol
from app.domain.vocabulary import ACROSS_MODELS, CLEAN, UndefinedReason
from worker.engine.measuring import Outcome
from worker.engine.observing import UNKNOWN_CLASS
from worker.engine.plan import BatchOutcome
from worker.measures.base import Score
from worker.wire.replies import ScoresRow

Cell = TypeVar("Cell")


def batch_rows(protocols: Sequence[Protocol], batch: BatchOutcome, first: int) -> Iterator[tuple[ScoresRow, bytes]]:
    """One row a sample and subject with its maps, and one across subjects where a pairing was asked for.

    ``protocols`` have what is measured of each subject; ``first`` is the number of the batch's first sample within the
    job.
    """
    for ordinal, (protocol, parts) in enumerate(zip(protocols, batch.outcomes, strict=True)):
        done = first
        for part in parts:
            yield from _subject_rows(protocol, part, ordinal, done)
            done += len(part.clean.predicted)
    if batch.pairings:
        means = [pairing.score for pairing in batch.pairings]
        pairs = [pair for pairing in batch.pairings for pair in pairing.pairs]
        samples = len(means[0].reasons)
        columns = zip(_cells(means, samples), _reasons(means, samples), _cells(pairs, samples), strict=True)
        for number, (scores, undefined, of_pairs) in enumerate(columns, first):
            across = {"model_ordinal": ACROSS_MODELS, "scores": scores, "undefined": undefined, "pairs": of_pairs}
            yield ScoresRow(number=number, **across), b""


def without_scores(row: ScoresRow, maps: bytes) -> tuple[ScoresRow, bytes]:
    """The row of a sample of which there is no picture: whatever the network made of another says nothing."""
    return (
        row.model_copy(
            update={
                "scores": [None] * len(row.scores),
                "controls": None if row.controls is None else [None] * len(row.controls),
                "undefined": [UndefinedReason.UNREADABLE.value] * len(row.scores),
                "predicted": None if row.predicted is None else [UNKNOWN_CLASS] * len(row.predicted),
                "class_scores": None if row.class_scores is None else [None] * len(row.class_scores),
                "pairs": None if row.pairs is None else [None] * len(row.pairs),
            }
        ),
        bytes(len(maps)),
    )


def _subject_rows(protocol: Protocol, outcome: Outcome, ordinal: int, first: int) -> Iterator[tuple[ScoresRow, bytes]]:
    scores = [outcome.scores[column.measure, column.view] for column in protocol.columns()]
    seen = [outcome.observations.get(condition) for condition in (CLEAN, *protocol.conditions())]
    native = [outcome.kept[view] if outcome.kept else one.maps.native for view, one in outcome.observations.items()]
    maps = torch.stack(native, 1).cpu()
    clean = outcome.clean
    predicted = torch.stack(
        [torch.full_like(clean.predicted, UNKNOWN_CLASS) if one is None else one.predicted for one in seen], 1
    ).tolist()
    unknown = torch.full_like(clean.class_scores, torch.nan)
    class_scores = torch.stack([unknown if one is None else one.class_scores for one in seen], 1).flatten(1)
    # Of stability alone a model has no score of its own, and yet a row a sample.
    made = (make(scores, len(maps)) for make in (_cells, _controls, _reasons))
    columns = zip(*made, predicted, _nullable(class_scores), maps, strict=True)
    for number, (score, control, undefined, classes, kept, sample_maps) in enumerate(columns, first):
        row = ScoresRow(
            number=number,
            model_ordinal=ordinal,
            scores=score,
            controls=control,
            undefined=undefined,
            predicted=classes,
            class_scores=kept,
            map_height=maps.shape[-2],
            map_width=maps.shape[-1],
        )
        yield row, sample_maps.numpy().astype("<f4").tobytes()


def _cells(scores: Sequence[Score], samples: int) -> list[list[float | None]]:
    """(N, V) values, None where undefined."""
    columns = [
        [None if reason else value for value, reason in zip(score.values.tolist(), score.reasons, strict=True)]
        for score in scores
    ]
    return _transposed(columns, samples)


def _controls(scores: Sequence[Score], samples: int) -> list[list[float | None]]:
    columns = [
        [None] * len(score.reasons)
        if score.control is None
        # A control may be undefined where the score is not: one part of a map may be constant, and another not.
        else [
            None if reason or isnan(value) else value
            for value, reason in zip(score.control.tolist(), score.reasons, strict=True)
        ]
        for score in scores
    ]
    return _transposed(columns, samples)


def _reasons(scores: Sequence[Score], samples: int) -> list[list[str | None] | None]:
    rows = _transposed([list(score.reasons) for score in scores], samples)
    return [[reason and str(reason) for reason in row] if any(row) else None for row in rows]


def _transposed(columns: Sequence[Sequence[Cell]], samples: int) -> list[list[Cell]]:
    """A row a sample, even of no column."""
    return [[column[sample] for column in columns] for sample in range(samples)]


def _nullable(values: Tensor) -> list[list[float | None]]:
    """NaN is not JSON, nor a number: None."""
    return [[None if value != value else value for value in row] for row in values.tolist()]  # noqa: PLR0124
