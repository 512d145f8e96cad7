"""What happened, as events: made of the rows as they are about to be committed."""

from typing import Any
from uuid import UUID

from app.db.tables import AuditRow, DatasetRow, HookRow, ModelRow, PolicyRunRow, VersionComparisonRow
from app.domain.audits.subjects import leads
from app.domain.events import MAX_CONDITION, MAX_LISTED, Event, EventType, shortened, told_problem
from app.domain.findings import Level
from app.domain.gates.stored import JudgedCondition, Outcome, StoredGate, StoredVerdict
from app.domain.results.documents import ResultsDocument
from app.domain.results.headline import headline, silent_headlines
from app.domain.vocabulary import AuditStatus, ResourceStatus

_OF_VERDICTS = {
    Outcome.PASSED: EventType.GATE_PASSED,
    Outcome.FAILED: EventType.GATE_FAILED,
    Outcome.INCONCLUSIVE: EventType.GATE_INCONCLUSIVE,
}


def audit_succeeded(audit: AuditRow, document: ResultsDocument, verdict: StoredVerdict | None) -> list[Event]:
    """That it has, and then what its gate says."""
    models = [model for model in document["models"] if leads(model["model_id"])][:MAX_LISTED]
    data = _audit(audit, AuditStatus.SUCCEEDED) | {
        "models": [{"model_id": model["model_id"], "name": model["name"]} for model in models],
        "sample_count": document["sample_count"],
        "verdict": verdict and verdict["verdict"],
        "headline": headline(document),
        "says_nothing": silent_headlines(document),
        "exposes": [one["code"] for one in document["findings"] if one["level"] == Level.EXPOSES][:MAX_LISTED],
    }
    events = [Event(EventType.AUDIT_SUCCEEDED, audit.id, data)]
    if verdict is not None and audit.gate is not None:
        judged = _gate(audit, audit.gate, verdict) | {name: data[name] for name in ("headline", "says_nothing")}
        events.append(Event(_OF_VERDICTS[Outcome(verdict["verdict"])], audit.id, judged))
    return events


def audit_failed(audit: AuditRow, problem: dict[str, Any]) -> Event:
    data = _audit(audit, AuditStatus.FAILED) | {"problem": told_problem(problem)}
    return Event(EventType.AUDIT_FAILED, audit.id, data)


def audit_cancelled(audit: AuditRow) -> Event:
    return Event(EventType.AUDIT_CANCELLED, audit.id, _audit(audit, AuditStatus.CANCELLED))


def model_looked_at(model: ModelRow, status: ResourceStatus, problem: dict[str, Any] | None) -> Event:
    """``ready`` or ``rejected``."""
    kind = EventType.MODEL_READY if status is ResourceStatus.READY else EventType.MODEL_REJECTED
    data = {
        "model_id": str(model.id),
        "name": shortened(model.name),
        "version": model.version,
        "status": status,
        "content_digest": model.content_digest,
        "problem": told_problem(problem),
        "links": {"model": f"/v1/models/{model.id}"},
    }
    return Event(kind, model.id, data)


def dataset_looked_at(dataset: DatasetRow) -> Event:
    """``ready`` or ``rejected``."""
    kind = EventType.DATASET_READY if dataset.status == ResourceStatus.READY else EventType.DATASET_REJECTED
    data = {
        "dataset_id": str(dataset.id),
        "name": shortened(dataset.name),
        "version": dataset.version,
        "status": dataset.status,
        "digest": dataset.digest,
        "sample_count": dataset.sample_count,
        "unreadable_count": dataset.unreadable_count,
        "problem": told_problem(dataset.problem),
        "links": {"dataset": f"/v1/datasets/{dataset.id}"},
    }
    return Event(kind, dataset.id, data)


def regression_found(link: VersionComparisonRow, model: ModelRow, before: ModelRow) -> Event:
    """What got worse from one version to the next."""
    comparison = f"/v1/comparisons/{link.comparison_id}"
    data = {
        "audit_id": str(link.audit_id),
        "before_audit_id": str(link.before_audit_id),
        "comparison_id": str(link.comparison_id),
        "name": shortened(f"{model.name} {model.version}"),
        "model": _version(model),
        "before": _version(before),
        "regressions": [
            {name: one[name] for name in ("number", "before", "after", "difference", "p_holm")}
            for one in (link.regressions or [])[:MAX_LISTED]
        ],
        "links": {
            "audit": f"/v1/audits/{link.audit_id}",
            "comparison": comparison,
            "report": f"{comparison}/report",
        },
    }
    return Event(EventType.REGRESSION_FOUND, link.audit_id, data)


def hook_failing(hook: HookRow, run: PolicyRunRow | None, problem: dict[str, Any]) -> Event:
    """That a version which it told of got no verdict, and why; without a run, that what arrives proves nothing."""
    of_run = {
        "policy_id": run and str(run.policy_id),
        "model": run and shortened(run.model_name),
        "version": run and shortened(run.version),
        "model_id": run and run.model_id and str(run.model_id),
        "audit_id": run and run.audit_id and str(run.audit_id),
    }
    data = {
        "hook_id": str(hook.id),
        "name": shortened(hook.name),
        "kind": hook.kind,
        **of_run,
        "problem": told_problem(problem),
        "links": {"hook": f"/v1/hooks/{hook.id}", "deliveries": f"/v1/hooks/{hook.id}/deliveries"},
    }
    return Event(EventType.HOOK_FAILING, hook.id, data)


def _version(model: ModelRow) -> dict[str, Any]:
    return {"model_id": str(model.id), "name": shortened(model.name), "version": model.version}


def _gate(audit: AuditRow, gate: StoredGate, verdict: StoredVerdict) -> dict[str, Any]:
    open_ones = [one for one in verdict["conditions"] if one["outcome"] != Outcome.PASSED]
    passed = [one for one in verdict["conditions"] if one["outcome"] == Outcome.PASSED]
    empty = [one for one in passed if one.get("says_nothing") and one["value"] is not None]
    return {
        "audit_id": str(audit.id),
        "name": audit.name,
        "gate_id": gate["gate_id"],
        "gate_name": gate["name"],
        "baseline_audit_id": gate["baseline_audit_id"],
        "verdict": verdict["verdict"],
        "warnings": verdict["warnings"],
        "not_passed": [*map(_condition, open_ones[:MAX_LISTED])],
        # Fewer of them, so that a message stays small.
        "passed_saying_nothing": [*map(_condition, empty[: MAX_LISTED // 2])],
        "links": _links(audit.id),
    }


def _condition(one: JudgedCondition) -> dict[str, Any]:
    return {
        "condition": shortened(one["condition"], MAX_CONDITION),
        "severity": one["severity"],
        "outcome": one["outcome"],
        "value": one["value"],
        "says_nothing": one.get("says_nothing", []),
    }


def _audit(audit: AuditRow, status: AuditStatus) -> dict[str, Any]:
    return {
        "audit_id": str(audit.id),
        "name": audit.name,
        "status": status,
        "dataset_id": str(audit.dataset_id),
        "links": _links(audit.id),
    }


def _links(audit_id: UUID) -> dict[str, str]:
    """Paths; whoever sends them knows where the service is reached."""
    return {"audit": f"/v1/audits/{audit_id}", "report": f"/v1/audits/{audit_id}/report"}
