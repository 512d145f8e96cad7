"""From an audit's or a comparison's rows to the job of drawing its report."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.audits.maps import ImageReader
from app.audits.repository import get_audit, models_of, results_of
from app.audits.service import check_finished, check_kept
from app.comparisons.repository import get_comparison
from app.datasets.repository import get_dataset
from app.db.tables import AuditRow, ComparisonRow
from app.domain.protocol import Protocol
from app.domain.vocabulary import CLEAN, DEGRADATIONS, ComparisonStatus
from app.errors import Conflict, Gone
from app.reports.gallery import GalleryMaker, different
from app.reports.job import Gallery, Json, ReportJob
from app.reports.sides import name_of, sides_of_audit, sides_of_comparison
from app.reports.undefined import undefined_of
from app.settings import Settings
from app.storage.blobs import BlobStore


@dataclass(frozen=True)
class Gatherer:
    """Reads what a report needs, in one tenant's transaction."""

    session: Session
    blobs: BlobStore
    settings: Settings

    def audit(self, audit_id: UUID) -> ReportJob:
        """Raises NotFound, or Conflict where the audit has no results."""
        audit = get_audit(self.session, audit_id)
        check_finished(audit)
        document = _lean(results_of(self.session, audit_id))
        dataset = get_dataset(self.session, audit.dataset_id)
        maker = self._maker(audit)
        return ReportJob(
            kind="audit",
            identity=str(audit.id),
            title=audit.name or f"Audit {audit.id}",
            dataset=dataset.name,
            sides=sides_of_audit(document, audit.name, as_runs=audit.run_group_id is not None),
            verdicts=_verdicts([audit]),
            comparison=None,
            gallery=maker if isinstance(maker, Gallery) else maker.ranked(),
            undefined=[] if audit.scores_removed_at else undefined_of(self.session, audit),
            **_basis(document),
            finished_at=_time(audit.finished_at),
        )

    def comparison(self, comparison_id: UUID) -> ReportJob:
        """Raises NotFound, or Conflict where it has not succeeded."""
        row = get_comparison(self.session, comparison_id)
        if row.status != ComparisonStatus.SUCCEEDED or row.document is None:
            raise Conflict("comparison-not-finished", f"The comparison is {row.status}.")
        document = row.document
        audits = {audit_id: self.session.get(AuditRow, audit_id) for audit_id in row.audit_ids}
        kept = [audit for audit in audits.values() if audit is not None]
        results = {str(audit.id): _lean(results_of(self.session, audit.id)) for audit in kept}
        return ReportJob(
            kind="comparison",
            identity=str(row.id),
            title=row.name or f"Comparison {row.id}",
            dataset=get_dataset(self.session, kept[0].dataset_id).name if kept else "a data set",
            sides=sides_of_comparison(document, results),
            verdicts=_verdicts(kept),
            comparison=document,
            gallery=self._different(document, {str(audit.id): audit for audit in kept}),
            undefined=[
                one for audit in kept if not audit.scores_removed_at for one in undefined_of(self.session, audit)
            ],
            **_basis(document | {"protocol": _protocol(row, results)}),
            finished_at=_time(row.finished_at),
        )

    def _maker(self, audit: AuditRow) -> GalleryMaker | Gallery:
        """Or why there is no gallery."""
        try:
            check_kept(audit, maps=True)
        except Gone as gone:
            return Gallery(note=gone.detail)
        dataset = get_dataset(self.session, audit.dataset_id)
        return GalleryMaker(self.session, audit, ImageReader(dataset, self.blobs, self.settings))

    def _different(self, document: Json, audits: dict[str, AuditRow]) -> Gallery:
        makers = []
        for side in document["sides"][:2]:
            audit = audits.get(side["audit_id"])
            if audit is None:
                return Gallery(note="An audit of the comparison was deleted, and its maps with it.")
            maker = self._maker(audit)
            if isinstance(maker, Gallery):
                return maker
            ordinals = [str(model.id) for model in models_of(self.session, audit.id)]
            makers.append((name_of(side), ordinals.index(side["models"][0]["model_id"]), maker))
        return different(makers, document["most_different_samples"])


def _lean(document: Json) -> Json:
    """Without what no figure shows: thresholds, and other views' ROC curves; a large audit has millions of them."""
    drawn = {CLEAN, *DEGRADATIONS}
    rows = [
        row | {"roc": row["roc"] and row["condition"] in drawn and {"fpr": row["roc"]["fpr"], "tpr": row["roc"]["tpr"]}}
        for row in document["performance"]
    ]
    return document | {"performance": [row | {"roc": row["roc"] or None} for row in rows]}


def _basis(document: Json) -> dict[str, Any]:
    return {name: document[name] for name in ("dataset_digest", "sample_count", "protocol", "protocol_digest")}


def _time(value: Any) -> str | None:
    return None if value is None else value.isoformat(timespec="seconds")


def _verdicts(audits: list[AuditRow]) -> list[Json]:
    return [
        {"subject": audit.name or f"audit {audit.id}", "gate": audit.gate, **audit.verdict}
        for audit in audits
        if audit.gate is not None and audit.verdict is not None
    ]


def _protocol(row: ComparisonRow, results: dict[str, Json]) -> Json:
    """Of the first audit that is left; a comparison keeps only the digest."""
    kept = [results[str(audit_id)] for audit_id in row.audit_ids if str(audit_id) in results]
    if not kept:
        raise Gone("audits-deleted", "All audits of the comparison were deleted; its tables are still there.")
    protocol: Json = Protocol.model_validate(kept[0]["protocol"]).to_json()
    return protocol
