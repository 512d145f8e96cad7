"""The verdict of an audit's gate, made with its results and stored with them."""

from dataclasses import dataclass
from uuid import UUID

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db.tables import AuditResultsRow, AuditRow, DatasetRow
from app.domain.audits.subjects import leads
from app.domain.comparisons.series import ScoreSeries
from app.domain.gates.audit_numbers import AuditNumbers, about, view_of
from app.domain.gates.baselines import OVER_COMMON_VIEWS, PAIRED, UNPAIRED, paired_rows, unpaired_rows
from app.domain.gates.compared_numbers import AGGREGATE, ComparedRow, GateNumbers
from app.domain.gates.conditions import PERFORMANCE, Condition, NotWorse, Scope
from app.domain.gates.parser import parse_condition
from app.domain.gates.stored import StoredVerdict
from app.domain.gates.verdicts import judge
from app.domain.measures import ScoreColumn
from app.domain.protocol import Protocol
from app.domain.results.documents import ResultsDocument
from app.domain.results.meaning import of_several
from app.domain.results.summaries import Summary
from app.domain.summaries.score_table import ScoreTable
from app.domain.summaries.summarising import summarise
from app.domain.vocabulary import AuditStatus
from app.results.reading import current
from app.results.subjects import by_subject
from worker.results.series import Series, read_groups, read_series


@dataclass(frozen=True)
class _Judged:
    """An audit, its results and its protocol."""

    audit: AuditRow
    document: ResultsDocument
    protocol: Protocol

    @property
    def series(self) -> Series:
        models = sum(leads(model["model_id"]) for model in self.document["models"])
        return Series(self.audit.id, tuple(range(models)), bool(self.protocol.pairing_columns()))

    def score_series(self, session: Session, columns: tuple[ScoreColumn, ...], *, models: bool) -> ScoreSeries:
        """The audit as the mean over its models; behind it, where asked for, every model on its own."""
        alone = [Series(self.audit.id, (ordinal,), has_pairings=False) for ordinal in self.series.ordinals]
        scores = [
            read_series(session, series, columns, self.protocol, self.audit.sample_count)
            for series in (self.series, *(alone if models else []))
        ]
        return ScoreSeries.of(scores, columns, read_groups(session, self.audit.id), self.protocol.seed)


def verdict_of(session: Session, audit: AuditRow, document: ResultsDocument) -> StoredVerdict | None:
    """None where the audit names no gate."""
    if audit.gate is None:
        return None
    conditions = [parse_condition(text, stored=True) for text in audit.gate["conditions"]]
    judged = _Judged(audit, document, Protocol.model_validate(audit.protocol))
    return judge(conditions, _numbers(session, judged, conditions))


def _numbers(session: Session, judged: _Judged, conditions: list[Condition]) -> GateNumbers:
    own = AuditNumbers(judged.document, _aggregate(session, judged))
    baseline, why = _baseline(session, judged.audit)
    if baseline is None:
        return GateNumbers(own, None, [], why)
    theirs = AuditNumbers(baseline.document, _aggregate(session, baseline))
    same = _same_samples(session, judged.audit, baseline.audit)
    compared = _compared(session, baseline, judged, conditions, same=same)
    how = PAIRED if same else UNPAIRED
    other = _other_views(judged.protocol, baseline.protocol)
    return GateNumbers(own, theirs, compared, f"{how}; {OVER_COMMON_VIEWS}" if other else how, other)


def _other_views(own: Protocol, theirs: Protocol) -> frozenset[tuple[str, str]]:
    """Columns that both have, and make of other views."""
    made = {(column.measure, column.view): column for column in theirs.columns()}
    return frozenset(
        key
        for column in own.columns()
        for key in [(column.measure, column.view)]
        if key in made and made[key] != column
    )


def _baseline(session: Session, audit: AuditRow) -> tuple[_Judged | None, str]:
    """It had succeeded when the audit was asked for; since then it may have been deleted."""
    baseline_id = audit.gate and audit.gate.get("baseline_audit_id")
    if baseline_id is None:
        return None, "the audit names no baseline"
    found = session.get(AuditRow, UUID(baseline_id), with_for_update={"read": True, "key_share": True})
    if found is None or found.status != AuditStatus.SUCCEEDED:
        return None, "the baseline audit was deleted"
    document = by_subject(current(session.get_one(AuditResultsRow, found.id).document))
    return _Judged(found, document, Protocol.model_validate(found.protocol)), ""


def _aggregate(session: Session, judged: _Judged) -> list[Summary]:
    """Summaries over the audit's models together: with one model, that model's own."""
    summaries = [row for row in judged.document["summaries"] if row["model_id"] is None or leads(row["model_id"])]
    if len(judged.series.ordinals) == 1:
        return summaries
    columns = judged.protocol.columns()
    pairings = [row for row in summaries if row["model_id"] is None]
    if not columns:
        return pairings
    series = judged.score_series(session, columns, models=False)
    blank = np.full_like(series.scores[0], np.nan)
    table = ScoreTable(None, columns, series.scores[0], blank, blank)
    rows = summarise(table, series.groups, judged.protocol.seed).rows
    of_models: dict[tuple[str, ...], list[Summary]] = {}
    for row in summaries:
        of_models.setdefault(about(row), []).append(row)
    for row in rows:
        row["says_nothing"] = of_several(of_models[about(row)])
    return rows + pairings


def _same_samples(session: Session, audit: AuditRow, baseline: AuditRow) -> bool:
    digests = set(
        session.scalars(select(DatasetRow.digest).where(DatasetRow.id.in_([audit.dataset_id, baseline.dataset_id])))
    )
    return len(digests) == 1 and audit.sample_positions == baseline.sample_positions


def _compared(
    session: Session, baseline: _Judged, judged: _Judged, conditions: list[Condition], *, same: bool
) -> list[ComparedRow]:
    """Differences of the columns whose means a condition compares; each row says whose it is."""
    wanted = [
        condition.quantity
        for condition in conditions
        if isinstance(condition.limit, NotWorse)
        and condition.quantity.statistic == "mean"
        and condition.quantity.measure != PERFORMANCE
    ]
    named = {(quantity.measure, view_of(quantity, judged.protocol)) for quantity in wanted}
    shared = set(_columns(baseline.protocol.beside([judged.protocol])))
    columns = tuple(
        column
        for column in _columns(judged.protocol.beside([baseline.protocol]))
        if column in shared and (column.measure, column.view) in named
    )
    if not columns:
        return []
    models = any(quantity.selector.scope is Scope.WORST_MODEL for quantity in wanted)
    own = judged.score_series(session, columns, models=models)
    theirs = baseline.score_series(session, columns, models=False)
    rows = paired_rows(theirs, own) if same else unpaired_rows(theirs, own)
    subjects = [AGGREGATE, *(one["model_id"] for one in judged.document["models"] if leads(one["model_id"]))]
    across = {(column.measure, column.view) for column in columns if column.is_pairing}
    return [
        {**row, "subject": subjects[row["second"] - 1]}
        for row in rows
        if row["second"] == 1 or (row["measure"], row["view"]) not in across
    ]


def _columns(protocol: Protocol) -> tuple[ScoreColumn, ...]:
    """Every column that it has, those of pairings last."""
    return (*protocol.columns(), *protocol.pairing_columns())
