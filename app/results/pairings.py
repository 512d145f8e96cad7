"""What the pairings of an audit's subjects say."""

from typing import Any

import numpy as np

from app.domain.audits.subjects import Pairing
from app.domain.measures import (
    SANITY,
    MeasureSpec,
)
from app.domain.protocol import Protocol
from app.domain.results.radar import headline_views
from app.domain.results.summaries import PairReport, Summary
from app.domain.results.twins import Sanity
from app.domain.statistics.aggregates import Floats, equal_group_weights, weighted_mean
from app.domain.summaries.groups import Groups
from app.domain.summaries.score_table import ScoreTable
from app.domain.summaries.several_models import pair_report
from app.domain.summaries.summarising import summarise
from app.domain.summaries.twins import twin_distances
from app.results.from_maps import FromMaps
from app.results.inputs import AuditInputs
from app.results.score_tables import StoredScores


def pairing_summaries(
    across: StoredScores, groups: Groups, protocol: Protocol, from_maps: FromMaps | None
) -> list[Summary]:
    columns = protocol.pairing_columns()
    blank = np.full_like(across.scores, np.nan)
    controls = blank.copy()
    for place, column in enumerate(columns):
        if from_maps is not None and column.measure in from_maps.controls:
            controls[:, place] = from_maps.controls[column.measure]
    return summarise(ScoreTable(None, columns, across.scores, controls, blank), groups, protocol.seed).rows


def pairs_of(across: StoredScores | None, inputs: AuditInputs, spec: MeasureSpec[Any]) -> PairReport | None:
    """Of one pairing."""
    found = _scores_of_pairs(across, inputs, spec)
    if found is None:
        return None
    pairing, scores = found
    members = sorted({place for group in pairing.groups for place in group})
    within = [(members.index(first), members.index(second)) for first, second in pairing.pairs]
    return pair_report(scores, [inputs.subjects[place].key for place in members], within)


def _scores_of_pairs(
    across: StoredScores | None, inputs: AuditInputs, spec: MeasureSpec[Any]
) -> tuple[Pairing, Floats] | None:
    """(N, P) of the pairs of a pairing, which are stored behind those of the pairings before it; None where it was not
    asked for.
    """
    if across is None:
        return None
    start = 0
    for pairing in inputs.pairings:
        stop = start + len(pairing.pairs)
        if pairing.column.measure == spec.name:
            return pairing, across.pairs[:, start:stop]
        start = stop
    return None


def sanity_of(
    across: StoredScores | None, inputs: AuditInputs, stored: list[StoredScores], groups: Groups
) -> list[Sanity]:
    """Every model beside its random twin."""
    found = _scores_of_pairs(across, inputs, SANITY)
    if found is None:
        return []
    protocol, subjects = inputs.protocol, inputs.of_models
    wanted = {(measure, view) for measure, views in headline_views(protocol).items() for view in views}
    sections: list[Sanity] = []
    for (own, twin), rises in zip(found[0].pairs, found[1].T, strict=True):
        tables = [stored[place].table(subjects[place].key, protocol, subjects[place].output) for place in (own, twin)]
        key, weights = subjects[own].key, equal_group_weights(groups.source_codes(), rises)
        distances = twin_distances(tables[0], tables[1], wanted, groups, protocol.seed)
        sections.append({"model_id": key, "entropy_rise": weighted_mean(rises, weights), "distances": distances})
    return sections
