"""The document of a comparison, from the stored scores, a block of columns at a time."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db.tables import AuditResultsRow, AuditRow, ComparisonRow, DatasetRow, SampleRow, SampleScoresRow
from app.domain.audits.subjects import leads
from app.domain.comparisons.compared_ranks import compared_ranks, names_of
from app.domain.comparisons.difference_rows import difference_rows
from app.domain.comparisons.farthest import FarSample, FarSamples, most_different
from app.domain.comparisons.series import ScoreSeries
from app.domain.comparisons.significance import correct, sign_flip_rows
from app.domain.comparisons.totals import series_totals
from app.domain.findings.method_verdicts import verdicts_of
from app.domain.measures import lower_is_better
from app.domain.protocol import Protocol
from app.domain.results.compared_meaning import judge_comparison
from app.domain.results.comparisons import (
    ComparisonResults,
    ComparisonStatistics,
    DifferenceRow,
    DifferingSample,
    DifferingSamples,
    SideTotal,
)
from app.domain.results.comparisons import Side as ShownSide
from app.domain.results.documents import ResultsDocument
from app.domain.results.meaning import FEWEST_SAMPLES
from app.domain.results.origins import differing_origins
from app.domain.results.radar import formulas, headline_views, radar
from app.domain.results.totals import MACRO
from app.domain.statistics.bootstrap import BOOTSTRAP_RESAMPLES
from app.domain.statistics.differences import ALPHA, draws_for
from app.domain.vocabulary import AuditStatus, ComparisonUnit
from app.errors import InputFailure
from app.results.reading import current
from app.results.subjects import by_subject, models_alone, shown
from worker.results.series import Series, column_blocks, read_groups, read_series

OVER_COMMON_VIEWS = (
    "The input of one side is not square and has no quarter turns: all sides are compared over the other views, of "
    "which `all`, the headlines and the radar are made."
)
UNDER_ONE_METHOD = (
    "Each side is its models under {method}, the first of several CAM methods: a comparison by model has a side for "
    "each method, and says whether the models rank alike under all."
)
COPIES = 4
"""Of the differences: the differences, the same on the grid, and the bootstrap's two."""


@dataclass(frozen=True)
class _Compared:
    """A series and what is shown of it."""

    series: Series
    protocol: Protocol
    shown: ShownSide


@dataclass
class _Tables:
    """What the blocks of columns add up to."""

    draws: int
    clusters: int | None
    """How many there are, where samples are of any."""
    totals: list[list[SideTotal]]
    differences: list[DifferenceRow] = field(default_factory=list)
    samples: list[FarSamples] = field(default_factory=list)

    @property
    def tested(self) -> list[DifferenceRow]:
        """The family of the correction."""
        return [row for row in self.differences if _is_macro(row)]


def comparison_document(session: Session, row: ComparisonRow) -> ComparisonResults:
    """Raises InputFailure ``audit-deleted`` where one of the audits is gone."""
    audits = [_audit(session, row, place) for place in range(len(row.audit_ids))]
    documents = {
        str(audit.id): models_alone(by_subject(current(session.get_one(AuditResultsRow, audit.id).document)))
        for audit in audits
    }
    compared = [series for audit in audits for series in _series_of(audit, documents[str(audit.id)], row.by)]
    first = audits[0]
    own = Protocol.model_validate(first.protocol)
    protocol = own.beside(one.protocol for one in compared)
    tables = _tables(session, compared, protocol, first)
    results: ComparisonResults = {
        "protocol_digest": first.protocol_digest if protocol == own else protocol.digest(),
        "notes": _notes(compared, protocol),
        "made_differently": list(
            differing_origins(
                {audit_id: document.get("software") or {} for audit_id, document in documents.items()},
                {str(audit.id): audit.device_class for audit in audits},
            )
        ),
        "dataset_digest": session.get_one(DatasetRow, first.dataset_id).digest,
        "sample_count": first.sample_count,
        "statistics": _statistics(protocol, tables, first.cluster),
        "sides": [_shown(one, protocol, totals) for one, totals in zip(compared, tables.totals, strict=True)],
        "radar": formulas(protocol),
        "differences": tables.differences,
        "most_different_samples": _named_samples(session, first, tables.samples),
    }
    judge_comparison(results, documents)
    results["method_ranks"] = [*compared_ranks(results, protocol)]
    results["findings"] = [*verdicts_of(results["method_ranks"], names_of(results), protocol.findings.method_tau)]
    return shown(results)


def _audit(session: Session, row: ComparisonRow, place: int) -> AuditRow:
    audit = session.get(AuditRow, row.audit_ids[place])
    if audit is None or audit.status != AuditStatus.SUCCEEDED:
        raise InputFailure("audit-deleted", f"The audit {row.audit_ids[place]} was deleted before it was compared.")
    return audit


def _series_of(audit: AuditRow, document: ResultsDocument, unit: ComparisonUnit) -> list[_Compared]:
    """Their radars and totals are still to come."""
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
        return [_Compared(Series(audit.id, tuple(leading), has_pairings), protocol, side(leading, alone=False))]
    return [
        _Compared(Series(audit.id, (ordinal,), has_pairings=False), protocol, side([ordinal], alone=True))
        for ordinal in everything
    ]


def _notes(compared: list[_Compared], protocol: Protocol) -> list[str]:
    """Where a side has views, or methods, that the comparison leaves out."""
    notes = []
    if any(one.protocol.has_turns != protocol.has_turns for one in compared):
        notes.append(OVER_COMMON_VIEWS)
    methods = protocol.salience.all_methods
    if len(methods) > 1 and len({one.series.audit_id for one in compared}) == len(compared):
        notes.append(UNDER_ONE_METHOD.format(method=methods[0]))
    return notes


def _tables(session: Session, compared: list[_Compared], protocol: Protocol, first: AuditRow) -> _Tables:
    columns = (
        *protocol.columns(),
        *(protocol.pairing_columns() if any(one.series.has_pairings for one in compared) else ()),
    )
    pairs = len(compared) * (len(compared) - 1) // 2
    groups, headlines = read_groups(session, first.id), _headlines(protocol)
    codes = groups.clusters
    clusters = None if codes is None else np.unique(codes).size
    tables = _Tables(draws_for(len(columns) * pairs), clusters, [[] for _ in compared])
    for block in column_blocks(columns, 2 * len(compared) + COPIES * pairs, first.sample_count):
        scores = [read_series(session, one.series, block, one.protocol, first.sample_count) for one in compared]
        series = ScoreSeries.of(scores, block, groups, protocol.seed)
        rows = difference_rows(series)
        macro = [row for row in rows if _is_macro(row)]
        for row, (p_value, method) in zip(macro, sign_flip_rows(series, tables.draws), strict=True):
            row["p_value"], row["p_method"] = p_value, method
        tables.differences += rows
        tables.samples += most_different(series, headlines)
        for totals, more in zip(tables.totals, series_totals(series), strict=True):
            totals.extend(more)
    order = {(column.measure, column.view): place for place, column in enumerate(columns)}
    # A stable sort: pair by pair, column by column, groups as they came, whatever the blocks were.
    tables.differences.sort(key=lambda row: (row["first"], row["second"], order[row["measure"], row["view"]]))
    tables.samples.sort(key=lambda table: (table["first"], table["second"], order[table["measure"], table["view"]]))
    correct(tables.tested)
    return tables


def _is_macro(row: DifferenceRow) -> bool:
    return (row["group_by"], row["group"]) == MACRO


def _headlines(protocol: Protocol) -> set[tuple[str, str]]:
    return {(measure, view) for measure, views in headline_views(protocol).items() for view in views}


def _shown(one: _Compared, protocol: Protocol, totals: list[SideTotal]) -> ShownSide:
    means = {(row["measure"], row["view"]): row["mean"] for row in totals}
    return {**one.shown, "radar": radar(protocol, means), "totals": totals}


def _interval(tables: _Tables, cluster: str | None) -> str:
    drawn = "samples" if cluster is None else f"clusters ({cluster}, {tables.clusters} of them)"
    sentence = f"95% percentile bootstrap, {drawn} resampled in pairs; models are taken as they are"
    is_narrow = tables.clusters is not None and tables.clusters < FEWEST_SAMPLES
    return sentence + (f"; fewer than {FEWEST_SAMPLES} clusters: intervals are too narrow" if is_narrow else "")


def _statistics(protocol: Protocol, tables: _Tables, cluster: str | None) -> ComparisonStatistics:
    return {
        "difference": "second minus first, over the samples that both scored",
        "interval": _interval(tables, cluster),
        "cluster": cluster,
        "clusters": tables.clusters,
        "seed": protocol.seed,
        "resamples": BOOTSTRAP_RESAMPLES,
        "test": "two-sided sign-flip permutation test of the macro mean difference",
        "draws": tables.draws,
        "correction": "holm",
        "family_size": sum(row["p_value"] is not None for row in tables.tested),
        "alpha": ALPHA,
        "lower_is_better": [
            f"{column.measure}.{column.view}"
            for column in protocol.columns()
            if lower_is_better(column.measure, column.view)
        ],
    }


def _named_samples(session: Session, audit: AuditRow, tables: Sequence[FarSamples]) -> list[DifferingSamples]:
    """Ordinals become samples."""
    ordinals = {sample["ordinal"] for table in tables for sample in table["samples"]}
    query = (
        select(SampleScoresRow.ordinal, SampleRow.id, SampleRow.name, SampleRow.label, SampleRow.source)
        .join(SampleRow, SampleRow.id == SampleScoresRow.sample_id)
        .where(
            SampleScoresRow.audit_id == audit.id,
            SampleScoresRow.model_ordinal == 0,
            SampleScoresRow.ordinal.in_(ordinals),
        )
    )
    found = {row.ordinal: row for row in session.execute(query)}

    def named(sample: FarSample) -> DifferingSample:
        row = found[sample["ordinal"]]
        return {
            "sample": row.name,
            "sample_id": str(row.id),
            "label": row.label,
            "source": row.source,
            "score_first": sample["score_first"],
            "score_second": sample["score_second"],
            "difference": sample["difference"],
        }

    return [
        {
            "first": table["first"],
            "second": table["second"],
            "measure": table["measure"],
            "view": table["view"],
            "samples": [named(sample) for sample in table["samples"]],
        }
        for table in tables
    ]
