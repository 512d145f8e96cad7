"""Takes a policy's run on by one stage: import, audit, write back. Each stage may be tried again."""

from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from uuid import UUID

from sqlalchemy import Engine, func, update
from sqlalchemy.orm import Session

from app.access.quotas import check_audit_minutes, check_live_audits, check_models
from app.access.vault import Vault
from app.audits.schemas import AuditRequest
from app.audits.service import Requested, request_audit
from app.db.leases import MAX_ATTEMPTS, claim_due, wait_after
from app.db.session import TenantEngine, transaction
from app.db.tables import AuditRow, ConnectionRow, ModelRow, PolicyRow, PolicyRunRow
from app.domain.vocabulary import AuditStatus, ResourceStatus
from app.egress.client import EgressClient
from app.errors import EgressFailure, QuotaExceeded, RequestError, SalienceError, Unavailable, Unprocessable
from app.hooks.service import DONE, FAILED
from app.http.wake_up import wake_for_shards
from app.lanes import Lanes
from app.models.requests import ModelRequest, ModelSource
from app.models.service import register
from app.policies.baselines import baseline_of
from app.policies.failing import note_failure, note_success
from app.policies.recipes import of_one_model, recipe_of, run_group_of
from app.policies.repository import IMPORTING, audited_versions, last_done
from app.policies.run_log import DrawReport, log_to_run
from app.policies.schemas import Policy
from app.policies.unchanged import is_unchanged
from app.policies.write_back import Words, write_back
from app.queue import TaskQueue
from app.registries.base import Registry, Version
from app.registries.hub import HubRegistry
from app.registries.mlflow import MlflowRegistry
from app.registries.uris import uri_of
from app.settings import Settings
from app.sources.registries import registry_of

AUDITING, WRITING = "auditing", "writing"
LEASE = timedelta(seconds=300)
"""Longer than a stage may take: of a registry that answers slowly, some twenty calls."""
SOON = timedelta(seconds=1)
OF_COMMITS = frozenset({"huggingface"})
"""Kinds of registries whose versions are all commits, also those of a README."""


class RunEnds(SalienceError):
    """Nothing more follows; the detail says why."""

    def __init__(self, detail: str) -> None:
        super().__init__("run-ends", detail)


class NotYet(SalienceError):
    """Something that the run waits for is still under way."""

    def __init__(self, detail: str, seconds: float = 1.0) -> None:
        super().__init__("not-yet", detail)
        self.seconds = seconds


@dataclass(frozen=True)
class Claim:
    """A run that this process takes on, as long as the count of attempts stays its own."""

    run_id: UUID
    tenant_id: UUID
    stage: str
    attempt: int


@dataclass(frozen=True)
class Follower:
    """Takes on runs that are due."""

    engine: Engine
    vault: Vault
    queue: TaskQueue
    settings: Settings
    draw_report: DrawReport

    def lanes(self) -> Lanes[Claim]:
        return Lanes("follower", self.claim, self.work)

    def claim(self, full: frozenset[UUID]) -> Claim | None:
        """The one that is due the longest, of a tenant that has room."""
        found = claim_due(self.engine, PolicyRunRow, full, LEASE)
        return None if found is None else Claim(found.id, found.tenant_id, found.stage, found.attempts)

    def work(self, claim: Claim) -> None:
        """One stage, and what becomes of it."""
        stages = {IMPORTING: self._import, AUDITING: self._await_audit, WRITING: self._write}
        try:
            stages[claim.stage](claim)
        except NotYet as waiting:
            # Not an attempt: an audit may take days.
            later = func.clock_timestamp() + timedelta(seconds=waiting.seconds)
            self._put(claim, attempts=0, next_at=later, reason=waiting.detail)
        except (QuotaExceeded, Unavailable) as failure:
            self._retry(claim, failure)
        except (RunEnds, RequestError) as failure:
            self._fail(claim, failure)
        except SalienceError as failure:
            self._retry(claim, failure)

    def _retry(self, claim: Claim, failure: SalienceError) -> None:
        gives_up = isinstance(failure, EgressFailure) and not failure.passing
        if gives_up or claim.attempt >= MAX_ATTEMPTS:
            self._fail(claim, failure)
            return
        self._put(claim, next_at=func.clock_timestamp() + wait_after(claim.attempt), reason=failure.detail)

    def _fail(self, claim: Claim, failure: SalienceError) -> None:
        with transaction(self.engine) as session:
            run = _put(session, claim, stage=FAILED, next_at=None, reason=failure.detail)
            if run is not None:
                note_failure(session, run, failure.to_problem())

    def _put(self, claim: Claim, **values: object) -> None:
        with transaction(self.engine) as session:
            _put(session, claim, **values)

    def _import(self, claim: Claim) -> None:
        """Asks for the model, then waits for it, then asks for the audit."""
        with transaction(TenantEngine(self.engine, claim.tenant_id)) as session:
            run, policy = _locked(session, claim)
            connection = session.get_one(ConnectionRow, policy.connection_id)
            audited = audited_versions(session, run)
            if run.model_id is not None:
                _check_ready(session.get(ModelRow, run.model_id))
            before = last_done(session, run) if connection.kind in OF_COMMITS else None
        if run.model_id is None:
            self._fetch(claim, run, connection, before)
            return
        # Outside of the transaction: the registry may be asked which version has the alias.
        with EgressClient.from_settings(self.settings) as client:
            registry = registry_of(connection, self.vault, client)
            baseline = baseline_of(audited, run.model_name, policy, registry)
            recipe = recipe_of(registry, _address(run, connection), policy)
        with transaction(TenantEngine(self.engine, claim.tenant_id)) as session:
            run, policy = _locked(session, claim)
            run.recipe = recipe
            requested = self._audit(session, run, policy, baseline)
            run.audit_id, run.stage = requested.audit.id, AUDITING
            device_class, shards = requested.audit.device_class, requested.new_shards
        wake_for_shards(self.queue, device_class, shards)

    def _fetch(self, claim: Claim, run: PolicyRunRow, connection: ConnectionRow, before: PolicyRunRow | None) -> None:
        """Asks for the model, unless it is that of the commit before."""
        if before is not None:
            uris = [_address(one, connection) for one in (before, run)]
            with EgressClient.from_settings(self.settings) as client:
                same = is_unchanged(registry_of(connection, self.vault, client), *uris)
            if same:
                told = f"Weights and description are those of {before.version}, which was audited."
                found = {"model_id": before.model_id, "audit_id": before.audit_id}
                self._put(claim, stage=DONE, next_at=None, reason=told, **found)
                return
        with transaction(TenantEngine(self.engine, claim.tenant_id)) as session:
            run, policy = _locked(session, claim)
            run.model_id = self._model(session, run, policy, connection)

    def _model(self, session: Session, run: PolicyRunRow, policy: Policy, connection: ConnectionRow) -> UUID:
        source = ModelSource(connection_id=policy.connection_id, uri=_address(run, connection))
        tags = [f"policy:{policy.name}"[:100]]
        model = register(session, ModelRequest(name=run.model_name[:200], source=source, tags=tags))
        check_models(session, self.settings)
        run.next_at = func.clock_timestamp() + SOON
        return model.id

    def _audit(self, session: Session, run: PolicyRunRow, policy: Policy, baseline: UUID | None) -> Requested:
        """Of the run group where there is one, without the gate where that compares with a baseline that there is none
        of yet."""
        group = run_group_of(session, run, policy)
        asked = {
            "dataset_id": policy.dataset_id,
            **({"model_ids": [run.model_id]} if group is None else {"run_group_id": group}),
            "protocol": policy.protocol if group or not policy.run_group_tag else of_one_model(policy.protocol),
            "sample_limit": policy.sample_limit,
            "name": f"{run.model_name} {run.version}"[:200],
            "tags": [f"policy:{policy.name}"[:100]],
        }
        gated = asked | {"gate_id": policy.gate, "baseline_audit_id": baseline if policy.gate else None}
        try:
            requested = request_audit(session, AuditRequest(**gated), self.settings)
        except Unprocessable as error:
            if error.code != "gate-needs-baseline":
                raise
            requested = request_audit(session, AuditRequest(**asked), self.settings)
        check_live_audits(session, self.settings)
        check_audit_minutes(session, self.settings)
        run.next_at, run.attempts = func.clock_timestamp() + SOON, 0
        return requested

    def _await_audit(self, claim: Claim) -> None:
        with transaction(TenantEngine(self.engine, claim.tenant_id)) as session:
            run, _ = _locked(session, claim)
            audit = session.get(AuditRow, run.audit_id) if run.audit_id else None
            if audit is None:
                raise RunEnds("The audit was deleted.")
            if audit.status in {AuditStatus.QUEUED, AuditStatus.RUNNING}:
                raise NotYet(f"The audit is {audit.status}.", 2.0)
            if audit.status != AuditStatus.SUCCEEDED:
                raise RunEnds(f"The audit {audit.status}: {(audit.problem or {}).get('detail', '')}".strip(": "))
            run.stage, run.attempts, run.next_at = WRITING, 0, func.clock_timestamp()

    def _write(self, claim: Claim) -> None:
        with transaction(TenantEngine(self.engine, claim.tenant_id)) as session:
            run, policy = _locked(session, claim)
            connection = session.get_one(ConnectionRow, policy.connection_id)
            words = write_back(session, run, policy, self.settings.public_url)
        with EgressClient.from_settings(self.settings) as client:
            registry = registry_of(connection, self.vault, client)
            note = self._told(registry, Version(run.model_name, run.version), words, policy)
        with transaction(self.engine) as session:
            done = _put(session, claim, stage=DONE, next_at=None, reason=words.note or note)
            if done is not None:
                note_success(session, done.hook_id)

    def _told(self, registry: Registry, version: Version, words: Words, policy: Policy) -> str | None:
        """What is written back; a note where it is not all."""
        wanted = policy.write_back
        if wanted.pull_request and isinstance(registry, HubRegistry):
            return registry.propose(version, words.tags)
        note = registry.write(version, words.tags, words.alias)
        if wanted.run and isinstance(registry, MlflowRegistry):
            draw = partial(self.draw_report, words.tenant_id, words.audit_id)
            return log_to_run(registry, version, words, draw) or note
        return note


def _put(session: Session, claim: Claim, **values: object) -> PolicyRunRow | None:
    """Only while the run is this process's; None where it is another's."""
    mine = update(PolicyRunRow).where(PolicyRunRow.id == claim.run_id, PolicyRunRow.attempts == claim.attempt)
    return session.scalars(mine.values(**values).returning(PolicyRunRow)).one_or_none()


def _locked(session: Session, claim: Claim) -> tuple[PolicyRunRow, Policy]:
    """Raises NotYet where another process has taken it on meanwhile: that one writes what becomes of it."""
    run = session.get(PolicyRunRow, claim.run_id, with_for_update=True)
    if run is None or (run.attempts, run.stage) != (claim.attempt, claim.stage):
        raise NotYet("Another process has it.")
    return run, Policy.of(session.get_one(PolicyRow, run.policy_id))


def _address(run: PolicyRunRow, connection: ConnectionRow) -> str:
    """Of the version. Raises RunEnds where the registry can have none such."""
    if run.source is not None:
        return run.source
    try:
        return uri_of(connection.kind, run.model_name, run.version, connection.url)
    except ValueError as error:
        raise RunEnds(f"The event names no version of this registry: {error}.") from error


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
