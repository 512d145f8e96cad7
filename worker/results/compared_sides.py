"""The sides of a comparison: an audit each, or each of its models."""

from dataclasses import dataclass
from uuid import UUID

from app.db.tables import AuditRow
from app.domain.audits.subjects import leads
from app.domain.protocol import Protocol
from app.domain.results.comparisons import Side as ShownSide
from app.domain.results.comparisons import SideTotal
from app.domain.results.documents import ResultsDocument
from app.domain.results.radar import radar
from app.domain.vocabulary import ComparisonUnit
from worker.results.series import Series

OVER_COMMON_VIEWS = (
    "The input of one side is not square and has no quarter turns: all sides are compared over the other views, of "
    "which `all`, the headlines and the radar are made."
)
UNDER_ONE_METHOD = (
    "Each side is its models under {method}, the first of several CAM methods: a comparison by model has a side for "
    "each method, and says whether the models rank alike under all."
)


@dataclass(frozen=True)
class ComparedSide:
    """A series and what is shown of it."""

    series: Series
    protocol: Protocol
    shown: ShownSide


def sides_of(
    audit: AuditRow, document: ResultsDocument, unit: ComparisonUnit, model_id: UUID | None
) -> list[ComparedSide]:
    """Their radars and totals are still to come. Of ``model_id`` that model alone, under the leading method."""
    models = document["models"]
    protocol = Protocol.model_validate(audit.protocol)
    has_pairings = bool(protocol.pairing_columns())

    def side(places: list[int], *, alone: bool) -> ShownSide:
        return {
            "audit_id": str(audit.id),
            "audit_name": audit.name,
            "models": [models[place] for place in places],
            "across_models": [] if alone else document["across_models"],
            "radar": {},
            "totals": [],
        }

    everything = list(range(len(models)))
    leading = [place for place in everything if leads(models[place]["model_id"])]
    if unit == ComparisonUnit.AUDIT:
        return [ComparedSide(Series(audit.id, tuple(leading), has_pairings), protocol, side(leading, alone=False))]
    of_one = model_id is not None
    return [
        # Pairings within an audit's only model are that model's own.
        ComparedSide(
            Series(audit.id, (ordinal,), has_pairings and of_one and len(leading) == 1),
            protocol,
            side([ordinal], alone=True),
        )
        for ordinal in everything
        if not of_one or models[ordinal]["model_id"] == str(model_id)
    ]


def notes_of(compared: list[ComparedSide], protocol: Protocol) -> list[str]:
    """Where a side has views, or methods, that the comparison leaves out."""
    notes = []
    if any(one.protocol.has_turns != protocol.has_turns for one in compared):
        notes.append(OVER_COMMON_VIEWS)
    methods = protocol.salience.all_methods
    if len(methods) > 1 and all(leads(model["model_id"]) for one in compared for model in one.shown["models"]):
        notes.append(UNDER_ONE_METHOD.format(method=methods[0]))
    return notes


def shown_side(one: ComparedSide, protocol: Protocol, totals: list[SideTotal]) -> ShownSide:
    means = {(row["measure"], row["view"]): row["mean"] for row in totals}
    return {**one.shown, "radar": radar(protocol, means), "totals": totals}
