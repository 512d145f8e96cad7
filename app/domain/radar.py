"""The radar of Crum et al. (2023), Fig. 11: five axes in [0, 1], higher is better."""

from collections.abc import Mapping

from app.domain.protocol import Protocol
from app.domain.vocabulary import DEGRADATIONS, PAIRS, MeasureName, noise_view

Means = Mapping[tuple[str, str], float | None]

FORMULAS: dict[MeasureName, str] = {
    MeasureName.ENTROPY: "1 - entropy: low entropy is focused salience, so it is turned round",
    MeasureName.NOISE_REACTION: "the noise reaction at the protocol's amount",
    MeasureName.GEOMETRIC_RESILIENCE: "the mean over the protocol's transformations",
    MeasureName.DEGRADATION: "((1 - salience_removed) + non_salience_removed) / 2; it punishes a model whose maps"
    " survive the removal of salience, which the paper's text praises",
    MeasureName.STABILITY: "the stability over pairs of runs",
}


def radar_columns(protocol: Protocol) -> dict[MeasureName, tuple[str, ...]]:
    """The views whose means make each axis; a measure that the protocol leaves out is absent."""
    measures = protocol.measures
    columns: dict[MeasureName, tuple[str, ...]] = {}
    if measures.entropy:
        columns[MeasureName.ENTROPY] = (measures.entropy.headline,)
    if measures.noise_reaction:
        columns[MeasureName.NOISE_REACTION] = (noise_view(measures.noise_reaction.amount),)
    if measures.geometric_resilience:
        geometric = measures.geometric_resilience
        columns[MeasureName.GEOMETRIC_RESILIENCE] = ("all",) if "all" in geometric.aggregates else geometric.views
    if measures.degradation:
        columns[MeasureName.DEGRADATION] = DEGRADATIONS
    if measures.stability:
        columns[MeasureName.STABILITY] = (PAIRS,)
    return columns


def radar(protocol: Protocol, means: Means) -> dict[str, float | None]:
    """Every measure's axis from the means by (measure, view); None where one of its numbers is missing.

    Stability is missing, not 0, for an audit of a single model.
    """
    axes: dict[str, float | None] = dict.fromkeys(MeasureName)
    for measure, views in radar_columns(protocol).items():
        found = [means.get((measure, view)) for view in views]
        values = [value for value in found if value is not None]
        if len(values) == len(views):
            axes[measure] = min(1.0, max(0.0, _axis(measure, values)))
    return axes


def _axis(measure: MeasureName, values: list[float]) -> float:
    if measure is MeasureName.ENTROPY:
        return 1 - values[0]
    if measure is MeasureName.DEGRADATION:
        salience_removed, non_salience_removed = values
        return ((1 - salience_removed) + non_salience_removed) / 2
    return sum(values) / len(values)
