"""Which of an audit's comparisons can be made again from the native maps that it stored."""

from app.domain.measures import (
    AGREEMENT,
    CLASS_SEPARATION,
    DEGRADATION,
    MEASURES,
    NOISE_REACTION,
    STABILITY,
    ScoreColumn,
)
from app.domain.protocol import Protocol

WITHOUT_WAY_BACK = frozenset({NOISE_REACTION.name, DEGRADATION.name})
"""Their views move nothing: a view's native map lies in the clean image's frame as it is."""

SIMILAR_PAIRS = frozenset({STABILITY.name, AGREEMENT.name, CLASS_SEPARATION.name})
"""Pairings whose score is how alike two maps are."""


def comparable_pairings(protocol: Protocol) -> tuple[ScoreColumn, ...]:
    """Of several subjects: their clean maps two by two."""
    return tuple(column for column in protocol.pairing_columns() if column.measure in SIMILAR_PAIRS)


def comparable_views(protocol: Protocol) -> tuple[ScoreColumn, ...]:
    """Of a single subject: the clean map against one view's map."""
    return tuple(
        column for column in protocol.columns() if column.measure in WITHOUT_WAY_BACK and len(column.conditions) == 1
    )


def left_out(protocol: Protocol) -> list[str]:
    """The measures whose comparisons cannot be: they need a way back for maps, or compare none."""
    kept = {column.measure for column in (*comparable_views(protocol), *comparable_pairings(protocol))}
    return [name for name in MEASURES if name in protocol.measures.names and name not in kept]
