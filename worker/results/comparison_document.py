"""The document of a comparison, from stored scores and the results of its audits."""

from itertools import repeat

from sqlalchemy.orm import Session

from app.db.tables import AuditResultsRow, AuditRow, ComparisonRow, DatasetRow
from app.domain.comparisons.compared_ranks import compared_ranks, names_of
from app.domain.findings.method_verdicts import verdicts_of
from app.domain.measures import lower_is_better
from app.domain.protocol import Protocol
from app.domain.results.compared_meaning import judge_comparison
from app.domain.results.comparisons import ComparisonResults, ComparisonStatistics
from app.domain.results.meaning import FEWEST_SAMPLES
from app.domain.results.origins import differing_origins
from app.domain.results.radar import formulas
from app.domain.statistics.bootstrap import BOOTSTRAP_RESAMPLES
from app.domain.statistics.differences import ALPHA
from app.domain.vocabulary import AuditStatus
from app.errors import InputFailure
from app.results.reading import current
from app.results.subjects import by_subject, models_alone, shown
from worker.results.compared_scores import Tables, read_tables
from worker.results.compared_sides import notes_of, shown_side, sides_of
from worker.results.differing_samples import named_samples


def comparison_document(session: Session, row: ComparisonRow) -> ComparisonResults:
    """Raises InputFailure ``audit-deleted`` where one of the audits is gone."""
    audits = [_audit(session, row, place) for place in range(len(row.audit_ids))]
    documents = {
        str(audit.id): models_alone(by_subject(current(session.get_one(AuditResultsRow, audit.id).document)))
        for audit in audits
    }
    compared = [
        series
        for audit, model_id in zip(audits, row.model_ids or repeat(None, len(audits)), strict=True)
        for series in sides_of(audit, documents[str(audit.id)], row.by, model_id)
    ]
    first = audits[0]
    own = Protocol.model_validate(first.protocol)
    protocol = own.beside(one.protocol for one in compared)
    tables = read_tables(session, compared, protocol, first)
    results: ComparisonResults = {
        "protocol_digest": first.protocol_digest if protocol == own else protocol.digest(),
        "notes": notes_of(compared, protocol),
        "made_differently": list(
            differing_origins(
                {audit_id: document.get("software") or {} for audit_id, document in documents.items()},
                {str(audit.id): audit.device_class for audit in audits},
            )
        ),
        "dataset_digest": session.get_one(DatasetRow, first.dataset_id).digest,
        "sample_count": first.sample_count,
        "statistics": _statistics(protocol, tables, first.cluster),
        "sides": [shown_side(one, protocol, totals) for one, totals in zip(compared, tables.totals, strict=True)],
        "radar": formulas(protocol),
        "differences": tables.differences,
        "most_different_samples": named_samples(session, first, tables.samples),
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


def _interval(tables: Tables, cluster: str | None) -> str:
    drawn = "samples" if cluster is None else f"clusters ({cluster}, {tables.clusters} of them)"
    sentence = f"95% percentile bootstrap, {drawn} resampled in pairs; models are taken as they are"
    is_narrow = tables.clusters is not None and tables.clusters < FEWEST_SAMPLES
    return sentence + (f"; fewer than {FEWEST_SAMPLES} clusters: intervals are too narrow" if is_narrow else "")


def _statistics(protocol: Protocol, tables: Tables, cluster: str | None) -> ComparisonStatistics:
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
