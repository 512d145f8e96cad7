"""The document of a comparison, from the stored scores, a block of columns at a time."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db.tables import AuditResultsRow, AuditRow, ComparisonRow, DatasetRow, SampleRow, SampleScoresRow
from app.domain.comparison import ScoreSeries, correct, difference_rows, most_different, series_totals, sign_flip_rows
from app.domain.differences import ALPHA, draws_for
from app.domain.measures import lower_is_better
from app.domain.protocol import Protocol
from app.domain.radar import formulas, headline_views, radar
from app.domain.results.meaning import FEWEST_SAMPLES
from app.domain.statistics import BOOTSTRAP_RESAMPLES
from app.domain.vocabulary import AuditStatus, ComparisonUnit, GroupBy
from app.errors import InputFailure
from app.results.reading import current
from worker.results.series import Series, column_blocks, read_groups, read_series

Json = dict[str, Any]

COPIES = 4
"""Of the differences: the differences, the same on the grid, and the bootstrap's two."""


@dataclass(frozen=True)
class _Compared:
    """A series and what is shown of it."""

    series: Series
    shown: Json


@dataclass
class _Tables:
    """What the blocks of columns add up to."""

    draws: int
    clusters: int | None
    """How many there are, where samples are of any."""
    totals: list[list[Json]]
    differences: list[Json] = field(default_factory=list)
    samples: list[Json] = field(default_factory=list)

    @property
    def tested(self) -> list[Json]:
        """The family of the correction."""
        return [row for row in self.differences if _is_macro(row)]


def comparison_document(session: Session, row: ComparisonRow) -> Json:
    """Raises InputFailure ``audit-deleted`` where one of the audits is gone."""
    audits = [_audit(session, row, place) for place in range(len(row.audit_ids))]
    compared = [series for audit in audits for series in _series_of(session, audit, row.by)]
    first = audits[0]
    protocol = Protocol.model_validate(first.protocol)
    tables = _tables(session, compared, protocol, first)
    _name_samples(session, first, tables.samples)
    return {
        "protocol_digest": first.protocol_digest,
        "dataset_digest": session.get_one(DatasetRow, first.dataset_id).digest,
        "sample_count": first.sample_count,
        "statistics": _statistics(protocol, tables, first.cluster),
        "sides": [_shown(one, protocol, totals) for one, totals in zip(compared, tables.totals, strict=True)],
        "radar": formulas(protocol),
        "differences": tables.differences,
        "most_different_samples": tables.samples,
    }


def _audit(session: Session, row: ComparisonRow, place: int) -> AuditRow:
    audit = session.get(AuditRow, row.audit_ids[place])
    if audit is None or audit.status != AuditStatus.SUCCEEDED:
        raise InputFailure("audit-deleted", f"The audit {row.audit_ids[place]} was deleted before it was compared.")
    return audit


def _series_of(session: Session, audit: AuditRow, unit: ComparisonUnit) -> list[_Compared]:
    document = current(session.get_one(AuditResultsRow, audit.id).document)
    models = document["models"]
    has_pairings = bool(Protocol.model_validate(audit.protocol).pairing_columns())
    shown = {"audit_id": str(audit.id), "audit_name": audit.name}
    if unit == ComparisonUnit.AUDIT:
        series = Series(audit.id, tuple(range(len(models))), has_pairings)
        return [_Compared(series, shown | {"models": models, "across_models": document["across_models"]})]
    return [
        _Compared(Series(audit.id, (ordinal,), has_pairings=False), shown | {"models": [model], "across_models": []})
        for ordinal, model in enumerate(models)
    ]


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
        scores = [read_series(session, one.series, block, protocol, first.sample_count) for one in compared]
        series = ScoreSeries.of(scores, block, groups, protocol.seed)
        rows = difference_rows(series)
        for row, (p_value, method) in zip(filter(_is_macro, rows), sign_flip_rows(series, tables.draws), strict=True):
            row |= {"p_value": p_value, "p_method": method}
        tables.differences += rows
        tables.samples += most_different(series, headlines)
        for totals, more in zip(tables.totals, series_totals(series), strict=True):
            totals.extend(more)
    order = {(column.measure, column.view): place for place, column in enumerate(columns)}
    for rows in (tables.differences, tables.samples):
        # A stable sort: pair by pair, column by column, groups as they came, whatever the blocks were.
        rows.sort(key=lambda row: (row["first"], row["second"], order[row["measure"], row["view"]]))
    correct(tables.tested)
    return tables


def _is_macro(row: Json) -> bool:
    return (row["group_by"], row["group"]) == (GroupBy.TOTAL, "macro")


def _headlines(protocol: Protocol) -> set[tuple[str, str]]:
    return {(measure, view) for measure, views in headline_views(protocol).items() for view in views}


def _shown(one: _Compared, protocol: Protocol, totals: list[Json]) -> Json:
    means = {(row["measure"], row["view"]): row["mean"] for row in totals}
    return one.shown | {"radar": radar(protocol, means), "totals": totals}


def _interval(tables: _Tables, cluster: str | None) -> str:
    drawn = "samples" if cluster is None else f"clusters ({cluster}, {tables.clusters} of them)"
    sentence = f"95% percentile bootstrap, {drawn} resampled in pairs; models are taken as they are"
    is_narrow = tables.clusters is not None and tables.clusters < FEWEST_SAMPLES
    return sentence + (f"; fewer than {FEWEST_SAMPLES} clusters: intervals are too narrow" if is_narrow else "")


def _statistics(protocol: Protocol, tables: _Tables, cluster: str | None) -> Json:
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


def _name_samples(session: Session, audit: AuditRow, tables: Sequence[Json]) -> None:
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
    found = {
        ordinal: {"sample": name, "sample_id": str(sample_id), "label": label, "source": source}
        for ordinal, sample_id, name, label, source in session.execute(query)
    }
    for table in tables:
        table["samples"] = [
            found[sample["ordinal"]] | {key: value for key, value in sample.items() if key != "ordinal"}
            for sample in table["samples"]
        ]
