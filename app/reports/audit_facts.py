"""What a report says about its audits beside their results: how they were made, who owns a score, their verdicts."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from app.audits.scores.subjects import all_subjects_in
from app.db.tables import AuditRow, ModelRow
from app.domain.protocol import Protocol
from app.domain.vocabulary import ACROSS_MODELS
from app.reports.job import AuditFacts, Baseline, JudgedAudit
from app.reports.series import all_of, distinct
from app.reports.series_part import Series
from app.results.inputs import AuditedSubject, GivenSubject


def as_text(value: datetime | None) -> str | None:
    return None if value is None else value.isoformat(timespec="seconds")


def facts_of(session: Session, audits: list[AuditRow]) -> dict[str, AuditFacts]:
    """By audit, under names of which no two are alike."""
    names = distinct([_name(audit) for audit in audits])
    return {
        str(audit.id): AuditFacts(
            name=name,
            device_class=audit.device_class,
            finished_at=as_text(audit.finished_at),
            layers={one.key: _layer(one.model, audit) for one in subjects_in(session, audit) if one.model is not None},
            replanned=_replanned(audit),
            description=audit.about,
            notes=audit.notes,
        )
        for name, audit in zip(names, audits, strict=True)
    }


def subjects_in(session: Session, audit: AuditRow) -> tuple[AuditedSubject | GivenSubject, ...]:
    """Those that a report is about, in the order of their ordinals: models, or where there is none map sets."""
    subjects = all_subjects_in(session, audit)
    return tuple(one for one in subjects if one.model is not None) or subjects


def title_of(one: AuditedSubject | GivenSubject, protocol: Protocol) -> str:
    return one.subject.title(protocol, one.map_set.name if one.model is None else one.model.name)


def _protocol(audit: AuditRow) -> Protocol:
    return Protocol.model_validate(audit.protocol)


def _name(audit: AuditRow) -> str:
    return audit.name or f"audit {audit.id}"


def _layer(model: ModelRow, audit: AuditRow) -> str:
    """The one that the protocol names, else the one that the model's probe resolved."""
    named = _protocol(audit).salience.target_layer
    return str(named or (model.probe or {}).get("target_layer") or "an unknown layer")


def _replanned(audit: AuditRow) -> str | None:
    if audit.replanned is None:
        return None
    return f"{audit.replanned['reason']} (micro-batch before: {audit.replanned['micro_batch_before']})"


def owners(session: Session, audit: AuditRow, all_series: list[Series], *, alone: bool) -> dict[int, str]:
    """The names of an audit's model ordinals as the report uses them; of a series of several runs, of both.

    What is nobody's is left out: in a comparison by model the scores across models, for example.
    """
    found: dict[int, str] = {}
    own = [series for series in all_series if series.audit_id == str(audit.id)]
    for ordinal, one in enumerate(subjects_in(session, audit)):
        series = next((series for series in own if one.key in series.model_ids), None)
        if series is not None:
            of_runs, name = len(series.model_ids) > 1, title_of(one, _protocol(audit))
            found[ordinal] = (name if alone else f"{name} ({series.name})") if of_runs else series.name
    several = next((series for series in own if len(series.model_ids) > 1), None)
    if several is not None:
        found[ACROSS_MODELS] = "all runs" if alone else f"all runs of {several.name}"
    elif alone and len(own) > 1:
        found[ACROSS_MODELS] = all_of(one.model_ids[0] for one in own)
    return found


def verdicts(session: Session, audits: list[AuditRow]) -> list[JudgedAudit]:
    """Of the audits that a gate judges, with the baseline by name."""
    return [
        {
            "subject": _name(audit),
            "gate": audit.gate,
            "baseline": _baseline(session, audit.gate.get("baseline_audit_id")),
            **audit.verdict,
        }
        for audit in audits
        if audit.gate is not None and audit.verdict is not None
    ]


def _baseline(session: Session, audit_id: str | None) -> Baseline | None:
    if audit_id is None:
        return None
    audit = session.get(AuditRow, UUID(audit_id))
    return {"id": audit_id, "name": "deleted since" if audit is None else audit.name or "without a name"}
