"""From what the engine found to rows of the table ``sample_scores``."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import torch
from torch import Tensor

from app.db.tables import SampleRow
from app.domain.protocol import Protocol
from app.domain.vocabulary import CLEAN
from app.results.score_tables import ACROSS_MODELS
from worker.audit_plan import Looks
from worker.engine import Outcome
from worker.measures.base import Score

Row = dict[str, Any]


def batch_rows(protocol: Protocol, looks: Looks, samples: Sequence[SampleRow], place: tuple[UUID, int]) -> list[Row]:
    """One row a sample and model, and one across models where stability was asked for.

    ``place`` is the audit and the ordinal of the first sample.
    """
    rows = [
        {"audit_id": place[0], "model_ordinal": ordinal, "ordinal": place[1] + number, "sample_id": samples[number].id}
        | row
        for ordinal, outcome in enumerate(looks.outcomes)
        for number, row in enumerate(_model_rows(protocol, outcome))
    ]
    if looks.pairs is None:
        return rows
    scores = _cells([looks.pairs.score])
    undefined, pairs = _reasons([looks.pairs.score]), _cells(looks.pairs.pairs)
    return rows + [
        _BLANK
        | {
            "audit_id": place[0],
            "model_ordinal": ACROSS_MODELS,
            "ordinal": place[1] + number,
            "sample_id": sample.id,
            "scores": scores[number],
            "undefined": undefined[number],
            "pairs": pairs[number],
        }
        for number, sample in enumerate(samples)
    ]


_BLANK: Row = dict.fromkeys(
    ("controls", "undefined", "predicted", "class_scores", "pairs", "maps", "map_height", "map_width")
)


def _model_rows(protocol: Protocol, outcome: Outcome) -> list[Row]:
    scores = [outcome.scores[column.view] for column in protocol.columns()]
    looks = [outcome.looks[condition] for condition in (CLEAN, *protocol.conditions())]
    maps = torch.stack([look.maps.native for look in looks], 1).cpu()
    predicted = torch.stack([look.predicted for look in looks], 1).tolist()
    class_scores = torch.stack([look.class_scores for look in looks], 1).flatten(1)
    columns = zip(
        _cells(scores), _controls(scores), _reasons(scores), predicted, _nullable(class_scores), maps, strict=True
    )
    return [
        _BLANK
        | {
            "scores": score,
            "controls": control,
            "undefined": undefined,
            "predicted": classes,
            "class_scores": kept,
            "maps": sample_maps.numpy().astype("<f4").tobytes(),
            "map_height": maps.shape[-2],
            "map_width": maps.shape[-1],
        }
        for score, control, undefined, classes, kept, sample_maps in columns
    ]


def _cells(scores: Sequence[Score]) -> list[list[float | None]]:
    """(N, V) values, None where undefined."""
    columns = [
        [None if reason else value for value, reason in zip(score.values.tolist(), score.reasons, strict=True)]
        for score in scores
    ]
    return [list(row) for row in zip(*columns, strict=True)]


def _controls(scores: Sequence[Score]) -> list[list[float | None]]:
    columns = [
        [None] * len(score.reasons)
        if score.control is None
        else [None if reason else value for value, reason in zip(score.control.tolist(), score.reasons, strict=True)]
        for score in scores
    ]
    return [list(row) for row in zip(*columns, strict=True)]


def _reasons(scores: Sequence[Score]) -> list[list[str | None] | None]:
    rows = [list(row) for row in zip(*(score.reasons for score in scores), strict=True)]
    return [[reason and str(reason) for reason in row] if any(row) else None for row in rows]


def _nullable(values: Tensor) -> list[list[float | None]]:
    """NaN is not JSON, nor a number: None."""
    return [[None if value != value else value for value in row] for row in values.tolist()]  # noqa: PLR0124
