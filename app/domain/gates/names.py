"""What conditions of gates may name: measures with their views and statistics."""

from app.domain.gates.conditions import (
    FINDINGS,
    FINDINGS_STATISTICS,
    PERFORMANCE,
    PERFORMANCE_STATISTICS,
    SUMMARY_STATISTICS,
)
from app.domain.measures import MEASURES, view_families
from app.domain.views.families import ViewFamily
from app.domain.vocabulary import CLEAN

VIEWS: dict[str, tuple[str, ...]] = {
    **{
        name: (*spec.gates.views, *(view for family in spec.gates.families for view in family.names))
        for name, spec in MEASURES.items()
    },
    FINDINGS: (),
    PERFORMANCE: (CLEAN, *(view for family in view_families() for view in family.names)),
}
"""What a condition may name of each measure, beside the views of its parametrised families."""
PARAMETRISED: dict[str, dict[str, ViewFamily]] = {
    measure: {family.name: family for family in families if family.parameter is not None}
    for measure, families in [
        *((name, (*spec.views, *spec.gates.families)) for name, spec in MEASURES.items()),
        (PERFORMANCE, view_families()),
        (FINDINGS, ()),
    ]
}
"""By measure and word before the @."""


def statistics_of(measure: str) -> tuple[str, ...]:
    if measure == PERFORMANCE:
        return PERFORMANCE_STATISTICS
    if measure == FINDINGS:
        return FINDINGS_STATISTICS
    return (*SUMMARY_STATISTICS, *MEASURES[measure].gates.statistics)
