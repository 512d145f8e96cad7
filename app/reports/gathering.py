"""From an audit's or a comparison's rows to the job of drawing its report."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.audits.repository import get_audit, results_of
from app.audits.scores.maps import ImageReader
from app.audits.states import check_finished, check_kept
from app.comparisons.repository import get_comparison, results_of_comparison
from app.datasets.repository import get_dataset
from app.db.tables import AuditRow
from app.domain.problems import comparisons
from app.domain.protocol import Protocol
from app.domain.results.comparisons import ComparisonResults
from app.domain.results.documents import ResultsDocument
from app.domain.vocabulary import OwedStatus
from app.errors import Gone
from app.imaging.entries import Ranges
from app.reports.audit_facts import as_text, facts_of, owners, verdicts
from app.reports.differing import ShownSeries, different
from app.reports.evidence import evidence
from app.reports.exposed import Exposed
from app.reports.gallery import GalleryMaker
from app.reports.job import ReportJob
from app.reports.lean import lean_document
from app.reports.mean_images import MOST_SERIES, Seen, mean_images
from app.reports.pictures import Gallery
from app.reports.series import all_together, series_of_audit, series_of_comparison
from app.reports.series_part import Series
from app.reports.undefined import undefined_of
from app.results.subjects import by_subject, models_alone, reported
from app.settings import Settings


@dataclass(frozen=True)
class Gatherer:
    """Reads what a report needs, in one tenant's transaction; a figure alone needs no pictures."""

    session: Session
    contents: Ranges
    settings: Settings
    with_pictures: bool = True

    def audit(self, audit_id: UUID) -> ReportJob:
        """Raises NotFound, or Conflict where the audit has no results."""
        audit = get_audit(self.session, audit_id)
        check_finished(audit)
        document = reported(by_subject(results_of(self.session, audit_id)))
        # Older results do not say; the row forgets its run group when that is deleted.
        as_runs = document.get("run_group_id", audit.run_group_id) is not None
        all_series = series_of_audit(document, audit.name, as_runs=as_runs)
        return ReportJob(
            kind="audit",
            identity=str(audit.id),
            title=audit.name or f"Audit {audit.id}",
            all_series=all_series,
            together=all_together(document, all_series),
            comparison=None,
            gallery=self._ranked(audit),
            **self._pictures([audit], {str(audit.id): document}, all_series),
            **self._of_audits([audit], {str(audit.id): document}, all_series),
            protocol=document["protocol"],
            **_basis(document),
            finished_at=as_text(audit.finished_at),
        )

    def comparison(self, comparison_id: UUID) -> ReportJob:
        """Raises NotFound, Gone, or Conflict where it has not succeeded."""
        row = get_comparison(self.session, comparison_id)
        stored = results_of_comparison(self.session, row)
        if row.status != OwedStatus.SUCCEEDED or stored is None:
            raise comparisons.NOT_FINISHED.error(status=row.status)
        audits = [self.session.get(AuditRow, audit_id) for audit_id in dict.fromkeys(row.audit_ids)]
        kept = [audit for audit in audits if audit is not None]
        if not kept:
            raise comparisons.AUDITS_DELETED.error()
        found = by_subject(stored)
        results = {str(audit.id): models_alone(by_subject(results_of(self.session, audit.id))) for audit in kept}
        all_series, first = series_of_comparison(found), results[str(kept[0].id)]
        return ReportJob(
            kind="comparison",
            identity=str(row.id),
            title=row.name or f"Comparison {row.id}",
            all_series=all_series,
            together=all_together(first, all_series) if len(audits) == 1 and row.model_ids is None else None,
            comparison=found,
            gallery=self._different(found, all_series, {str(audit.id): audit for audit in kept}),
            **self._pictures(kept, results, all_series),
            **self._of_audits(kept, results, all_series),
            # A comparison keeps only the digest of its protocol.
            protocol=_shared_protocol(first, results.values()),
            **_basis(found),
            finished_at=as_text(row.finished_at),
        )

    def _of_audits(
        self, audits: list[AuditRow], results: dict[str, ResultsDocument], all_series: list[Series]
    ) -> dict[str, Any]:
        shown = {model_id for series in all_series for model_id in series.model_ids}
        known = not any(audit.scores_removed_at for audit in audits)
        undefined = [
            one
            for audit in audits
            for one in undefined_of(
                self.session, audit, owners(self.session, audit, all_series, alone=len(audits) == 1)
            )
        ]
        dataset = get_dataset(self.session, audits[0].dataset_id)
        return {
            "dataset": dataset.name,
            "dataset_notes": [*([dataset.about] if dataset.about else []), *dataset.notes],
            "documents": {audit_id: lean_document(document, shown) for audit_id, document in results.items()},
            "audits": facts_of(self.session, audits),
            "verdicts": verdicts(self.session, audits),
            "undefined": undefined if known else None,
        }

    def _ranked(self, audit: AuditRow) -> Gallery:
        maker = self._maker(audit)
        return maker if isinstance(maker, Gallery) else maker.ranked()

    def _maker(self, audit: AuditRow) -> GalleryMaker | Gallery:
        """Or why there is no gallery."""
        if not self.with_pictures:
            return Gallery(note="Not asked for.")
        try:
            check_kept(audit, maps=True)
        except Gone as gone:
            return Gallery(note=gone.detail)
        dataset = get_dataset(self.session, audit.dataset_id)
        return GalleryMaker(self.session, audit, ImageReader(dataset, self.contents, self.settings))

    def _pictures(
        self, audits: list[AuditRow], documents: dict[str, ResultsDocument], all_series: list[Series]
    ) -> dict[str, Any]:
        """What lies under mean maps, and what exposes a series: of as many as the figure of mean maps has room for."""
        found: dict[str, dict[str, Any]] = {"mean_images": {}, "evidence": {}}
        seen, makers = Seen(), {str(audit.id): self._maker(audit) for audit in audits}
        for series in all_series[:MOST_SERIES]:
            maker = makers.get(series.audit_id)
            if not isinstance(maker, GalleryMaker) or not maker.models:
                continue
            keys = [subject.key for subject in maker.models]
            own = [keys.index(key) for key in series.model_ids]
            found["mean_images"][series.name] = mean_images(maker, own[0], seen)
            exposed = (Exposed(maker, ordinal, documents[series.audit_id]) for ordinal in own)
            first = next((one for one in exposed if one.findings()), None)
            if first is not None:
                found["evidence"][series.name] = evidence(first, mean_images(maker, first.ordinal, seen))
        return found

    def _different(self, document: ComparisonResults, all_series: list[Series], audits: dict[str, AuditRow]) -> Gallery:
        pair = []
        for series in all_series[:2]:
            audit = audits.get(series.audit_id)
            if audit is None:
                return Gallery(note="An audit of the comparison was deleted, and its maps with it.")
            maker = self._maker(audit)
            if isinstance(maker, Gallery):
                return maker
            ordinals = [one.key for one in maker.subjects]
            pair.append(ShownSeries(series.name, ordinals.index(series.model_ids[0]), maker))
        return different(pair, document["most_different_samples"])


def _shared_protocol(first: ResultsDocument, documents: Iterable[ResultsDocument]) -> dict[str, Any]:
    own, *others = (Protocol.model_validate(one["protocol"]) for one in (first, *documents))
    shared = own.beside(others)
    return first["protocol"] if shared == own else shared.to_json()


def _basis(document: ResultsDocument | ComparisonResults) -> dict[str, Any]:
    return {
        "dataset_digest": document["dataset_digest"],
        "sample_count": document["sample_count"],
        "protocol_digest": document["protocol_digest"],
    }
