"""The first stage of a run: which version it is, its model, and the audit that is asked for."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import func
from sqlalchemy.orm import Session

from app.access.quotas import check_audit_minutes, check_live_audits, check_models
from app.audits.schemas import AuditRequest
from app.audits.service import Requested, request_audit
from app.db.tables import ConnectionRow, ModelRow, PolicyRunRow
from app.domain.vocabulary import ResourceStatus, RunStage
from app.errors import Unprocessable
from app.hooks.schemas import HookOutcome
from app.http.wake_up import wake_for_shards
from app.models.requests import ModelRequest, ModelSource
from app.models.service import register
from app.policies.baselines import baseline_of
from app.policies.other_versions import audited_versions, last_done, model_of_version, version_before
from app.policies.recipes import of_one_model, recipe_of, run_group_of
from app.policies.runs import first_seen, merge_into, run_with
from app.policies.schemas import Policy
from app.policies.stages import Claim, Means, NotYet, RunEnds, end, go_on, locked
from app.policies.unchanged import is_unchanged
from app.registries.uris import uri_of
from app.settings import Settings

SOON = timedelta(seconds=1)
OF_COMMITS = frozenset({"huggingface"})
"""Kinds of registries whose versions are all commits, also those of a README."""


def import_version(means: Means, claim: Claim) -> None:
    """Asks the registry for the version, then for its model, then waits for that, then asks for the audit."""
    with means.tenant(claim) as session:
        run, policy = locked(session, claim)
        connection = session.get_one(ConnectionRow, policy.connection_id)
    if run.registered_at is None:
        _find_place(means, claim, run, connection)
    elif run.model_id is None:
        _fetch(means, claim, connection)
    else:
        _audit(means, claim, connection)


def _find_place(means: Means, claim: Claim, run: PolicyRunRow, connection: ConnectionRow) -> None:
    """When the registry had the version made: the order of versions is the registry's, not that of their events.

    Buckets and web servers know of no versions.
    """
    _uri(run, connection)
    told = None
    if run.source is None:
        with means.registry(connection) as registry:
            told = registry.version(run.model_name, run.version).registered_at
    with means.tenant(claim) as session:
        run, _ = locked(session, claim)
        registered_at = told or first_seen(session, run, connection.id)
        same = run_with(session, run, registered_at)
        if same is not None:
            merge_into(session, run, same)
            return
        run.registered_at = registered_at
        go_on(run, run.stage)


def _fetch(means: Means, claim: Claim, connection: ConnectionRow) -> None:
    """Asks for the model, unless it is that of the commit before."""
    with means.tenant(claim) as session:
        run, _ = locked(session, claim)
        before = last_done(session, run) if connection.kind in OF_COMMITS else None
    if before is not None:
        with means.registry(connection) as registry:
            same = is_unchanged(registry, _uri(before, connection), _uri(run, connection))
        if same:
            told = f"Weights and description are those of {before.version}, which was audited."
            with means.tenant(claim) as session:
                found = {"model_id": before.model_id, "audit_id": before.audit_id}
                end(session, claim, HookOutcome.AUDITED, told, **found)
            return
    with means.tenant(claim) as session:
        run, policy = locked(session, claim)
        run.model_id = _model(session, run, policy, connection, means.settings)
        run.next_at = func.clock_timestamp() + SOON


def _model(session: Session, run: PolicyRunRow, policy: Policy, connection: ConnectionRow, settings: Settings) -> UUID:
    """That of another policy, or a new one, under the name and version that the registry has it by."""
    # Of two policies that come at once, one waits here and then finds the other's.
    session.get_one(ConnectionRow, connection.id, with_for_update={"key_share": True})
    shared = model_of_version(session, run, connection.id)
    if shared is not None:
        shared.tags = list(dict.fromkeys((*shared.tags, policy.tag)))
        return shared.id
    source = ModelSource(connection_id=policy.connection_id, uri=_uri(run, connection))
    named = {"name": run.model_name[:200], "version": run.version[:100]}
    model = register(session, ModelRequest(**named, source=source, tags=[policy.tag]))
    model.registered_at = run.registered_at
    check_models(session, settings)
    return model.id


def _uri(run: PolicyRunRow, connection: ConnectionRow) -> str:
    """Of the version. Raises RunEnds where the registry can have none such."""
    if run.source is not None:
        return run.source
    try:
        return uri_of(connection.kind, run.model_name, run.version, connection.url)
    except ValueError as error:
        raise RunEnds(f"The event names no version of this registry: {error}.") from error


def _audit(means: Means, claim: Claim, connection: ConnectionRow) -> None:
    """Once the model is there, and older versions have their verdicts: they are what this one is compared with."""
    with means.tenant(claim) as session:
        run, policy = locked(session, claim)
        _check_ready(None if run.model_id is None else session.get(ModelRow, run.model_id))
        older = version_before(session, run)
        if older is not None:
            raise NotYet(f"Version {older} of the model comes first.", 2.0)
        audited = audited_versions(session, run)
    with means.registry(connection) as registry:
        baseline = baseline_of(audited, run.model_name, policy, registry)
        recipe = recipe_of(registry, _uri(run, connection), policy)
    with means.tenant(claim) as session:
        run, policy = locked(session, claim)
        run.recipe = recipe
        requested = _request(session, run, policy, baseline, means.settings)
        run.audit_id = requested.audit.id
        go_on(run, RunStage.AUDITING)
        run.next_at = func.clock_timestamp() + SOON
        device_class, shards = requested.audit.device_class, requested.new_shards
    wake_for_shards(means.queue, device_class, shards)


def _request(
    session: Session, run: PolicyRunRow, policy: Policy, baseline: UUID | None, settings: Settings
) -> Requested:
    """Of the run group where there is one, without the gate where that compares with a baseline that there is none
    of yet."""
    group = run_group_of(session, run, policy)
    asked = {
        "dataset_id": policy.dataset_id,
        **({"model_ids": [run.model_id]} if group is None else {"run_group_id": group}),
        "protocol": policy.protocol if group or not policy.run_group_tag else of_one_model(policy.protocol),
        "sample_limit": policy.sample_limit,
        "name": f"{run.model_name} {run.version}"[:200],
        "tags": [policy.tag],
    }
    gated = asked | {"gate_id": policy.gate, "baseline_audit_id": baseline if policy.gate else None}
    try:
        requested = request_audit(session, AuditRequest(**gated), settings)
    except Unprocessable as error:
        if error.code != "gate-needs-baseline":
            raise
        requested = request_audit(session, AuditRequest(**asked), settings)
    check_live_audits(session, settings)
    check_audit_minutes(session, settings)
    return requested


def _check_ready(model: ModelRow | None) -> None:
    """Raises NotYet, RunEnds."""
    if model is None:
        raise RunEnds("The model was deleted.")
    if model.status == ResourceStatus.REJECTED:
        problem = model.problem or {}
        raise RunEnds(f"The model was rejected: {problem.get('code')}. {problem.get('detail')}")
    if model.status == ResourceStatus.NEEDS_DESCRIPTION:
        raise NotYet(f"The model {model.id} needs its description: see what is missing, and PATCH it.", 15.0)
    if model.status != ResourceStatus.READY:
        raise NotYet(f"The model is {model.status}.")
