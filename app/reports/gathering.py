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
from app.domain.radar import radar
from app.domain.vocabulary import CLEAN, DEGRADATIONS, ComparisonStatus, GroupBy
from app.errors import Conflict, Gone
from app.reports.gallery import GalleryMaker, different
from app.reports.job import Gallery, Json, ReportJob, Side
from app.reports.undefined import undefined_of
from app.settings import Settings
from app.storage.blobs import BlobStore

MOST_SIDES = 8


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
            sides=_sides_of_audit(audit, document),
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
            sides=_sides_of_comparison(document, results),
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
            makers.append((_name(side), ordinals.index(side["models"][0]["model_id"]), maker))
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


def _sides_of_audit(audit: AuditRow, document: Json) -> list[Side]:
    """The runs of a run group are one side; models that were named one by one are a side each."""
    ids = [model["model_id"] for model in document["models"]]
    if audit.run_group_id is not None and len(ids) > 1:
        name = audit.name or "the run group"
        return [_side(name, name, ids, document, _totals_of_runs(document))]
    names = _distinct([model["name"] for model in document["models"]])
    sides = [
        _side(name, audit.name or name, [model_id], document, _totals_of_model(document, model_id))
        for name, model_id in zip(names, ids, strict=True)
    ]
    return sides[:MOST_SIDES]


def _side(name: str, audit_name: str, ids: list[str], document: Json, totals: list[Json]) -> Side:
    means = {(row["measure"], row["view"]): row["mean"] for row in totals}
    axes = radar(Protocol.model_validate(document["protocol"]), means)
    return Side(name=name, audit_name=audit_name, model_ids=tuple(ids), totals=totals, radar=axes, document=document)


def _totals_of_runs(document: Json) -> list[Json]:
    """Means over the runs and, as ``spread``, how much the runs differ."""
    across = [row | {"spread": row["std"]} for row in document["across_models"] if row["group"] == "macro"]
    return across + _totals_of_model(document, None)


def _totals_of_model(document: Json, model_id: str | None) -> list[Json]:
    """With what belongs to all models, which is stability."""
    total = (GroupBy.TOTAL, "macro")
    return [
        row
        for row in document["summaries"]
        if (row["group_by"], row["group"]) == total and row["model_id"] in {model_id, None}
    ]


def _sides_of_comparison(document: Json, results: dict[str, Json]) -> list[Side]:
    sides = document["sides"]
    names = _distinct([_name(side) for side in sides])
    return [
        Side(
            name=name,
            audit_name=side["audit_name"] or name,
            model_ids=tuple(model["model_id"] for model in side["models"]),
            totals=_with_spread(side),
            radar=side["radar"],
            document=results.get(side["audit_id"]),
        )
        for name, side in zip(names, sides, strict=True)
    ]


def _with_spread(side: Json) -> list[Json]:
    spreads = {
        (row["measure"], row["view"]): row["std"]
        for row in side["across_models"]
        if row["group"] == "macro" and row["n_models"] > 1
    }
    return [row | {"spread": spreads.get((row["measure"], row["view"]))} for row in side["totals"]]


def _name(side: Json) -> str:
    """Of a comparison's side: a single model's own, else the audit's."""
    is_model = len(side["models"]) == 1 and not side["across_models"]
    name: str = side["models"][0]["name"] if is_model else side["audit_name"] or f"audit {side['audit_id']}"
    return name


def _distinct(names: list[str]) -> list[str]:
    """Equal names get their place behind them."""
    return [f"{name} ({place + 1})" if names.count(name) > 1 else name for place, name in enumerate(names)]


def _protocol(row: ComparisonRow, results: dict[str, Json]) -> Json:
    """Of the first audit that is left; a comparison keeps only the digest."""
    kept = [results[str(audit_id)] for audit_id in row.audit_ids if str(audit_id) in results]
    if not kept:
        raise Gone("audits-deleted", "All audits of the comparison were deleted; its tables are still there.")
    protocol: Json = Protocol.model_validate(kept[0]["protocol"]).to_json()
    return protocol
