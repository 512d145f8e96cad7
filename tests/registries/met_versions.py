"""Versions that a policy has met, as rows, and a follower that takes them on, without an API or a worker."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from cryptography.fernet import Fernet
from sqlalchemy import Engine, null
from sqlalchemy.orm import Session

from app.access.vault import Vault
from app.db.identifiers import new_id
from app.db.session import TenantEngine, make_engine, transaction
from app.db.tables import (
    DEFAULT_TENANT,
    AuditModelRow,
    AuditResultsRow,
    AuditRow,
    ConnectionRow,
    HookRow,
    ModelRow,
    PolicyRow,
    PolicyRunRow,
)
from app.domain.protocol import ProtocolRequest
from app.domain.vocabulary import AuditStatus, ResourceStatus, RunStage
from app.policies.following import Follower
from app.policies.stages import Claim
from app.queue import TaskQueue
from app.settings import Settings
from tests.factories import audit_row, dataset_row, model_row

NAME = "faces"
FIRST = datetime(2026, 11, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
PROTOCOL: dict[str, Any] = {"measures": {"entropy": {}}}


@dataclass(frozen=True)
class Met:
    """A policy of a registry at ``url``, in a database of its own."""

    engine: Engine
    policy_id: UUID
    connection_id: UUID
    hook_id: UUID
    dataset_id: UUID

    @contextmanager
    def session(self) -> Iterator[Session]:
        with transaction(TenantEngine(self.engine, DEFAULT_TENANT)) as session:
            yield session

    def follower(self) -> Follower:
        settings = Settings(allowed_networks=frozenset({"127.0.0.1/32"}))
        queue = TaskQueue("redis://127.0.0.1:1/0")
        vault = Vault(Fernet.generate_key().decode())
        return Follower(self.engine, vault, queue, settings, lambda *_: b"<!doctype html>")

    def policy(self, **changes: Any) -> None:
        with self.session() as session:
            row = session.get_one(PolicyRow, self.policy_id)
            row.definition = row.definition | changes

    def run(self, version: str, hour: int | None, **values: Any) -> UUID:
        """Of a version that the registry had made at that hour; None: it was not asked yet."""
        at = None if hour is None else FIRST + hour * HOUR
        filled = {"model_name": NAME, "registered_at": at, "stage": RunStage.DONE, "next_at": null()} | values
        with self.session() as session:
            row = PolicyRunRow(id=new_id(), policy_id=self.policy_id, version=version, **filled)
            session.add(row)
            session.flush()
            return row.id

    def audited(self, version: str, hour: int, verdict: str | None = "passed", **values: Any) -> UUID:
        """A run whose audit has succeeded, under that verdict."""
        with self.session() as session:
            made = {"name": NAME, "version": version, "status": ResourceStatus.READY}
            session.add(model := model_row(registered_at=FIRST + hour * HOUR, **made))
            judged = None if verdict is None else {"verdict": verdict}
            ended = {"status": AuditStatus.SUCCEEDED, "finished_at": FIRST + hour * HOUR, "verdict": judged}
            session.add(audit := audit_row(self.dataset_id, sample_count=4, **ended))
            session.flush()
            session.add(AuditModelRow(audit_id=audit.id, model_id=model.id, ordinal=0))
            session.add(AuditResultsRow(audit_id=audit.id, document=_document(model.id)))
            ids = {"model_id": model.id, "audit_id": audit.id}
        return self.run(version, hour, **ids, **values)

    def row(self, run_id: UUID) -> PolicyRunRow:
        with self.session() as session:
            return session.get_one(PolicyRunRow, run_id)

    def audit_of(self, run_id: UUID) -> AuditRow:
        with self.session() as session:
            return session.get_one(AuditRow, self.row(run_id).audit_id)

    def model_of(self, run_id: UUID) -> ModelRow:
        with self.session() as session:
            return session.get_one(ModelRow, self.row(run_id).model_id)

    def take_on(self, run_id: UUID, times: int = 1) -> PolicyRunRow:
        """As a thread of the API would, stage by stage."""
        for _ in range(times):
            self.work(run_id)
        return self.row(run_id)

    def work(self, run_id: UUID) -> None:
        """One stage."""
        with self.session() as session:
            run = session.get_one(PolicyRunRow, run_id)
            run.attempts += 1
            claim = Claim(run.id, DEFAULT_TENANT, run.stage, run.attempts, run.unexplained)
        self.follower().work(claim)


def _document(model_id: UUID) -> Any:
    """Results with one number."""
    place = {"measure": "entropy", "view": "spatial", "group_by": "total", "group": "macro"}
    row = place | {"model_id": str(model_id), "mean": 0.5, "says_nothing": []}
    protocol = ProtocolRequest.model_validate(PROTOCOL).resolve().to_json()
    return {"findings": [], "protocol": protocol, "models": [], "across_models": [], "summaries": [row]}


@contextmanager
def met(database_url: str, url: str, kind: str = "mlflow", **definition: Any) -> Iterator[Met]:
    engine = make_engine(database_url)
    with transaction(TenantEngine(engine, DEFAULT_TENANT)) as session:
        session.add(dataset := dataset_row(status=ResourceStatus.READY))
        session.add(connection := ConnectionRow(id=new_id(), name="m", kind=kind, url=url, auth_kind="none"))
        session.flush()
        told = {"match": {"model": "*"}, "dataset_id": str(dataset.id), "protocol": PROTOCOL} | definition
        session.add(policy := PolicyRow(id=new_id(), name="p", connection_id=connection.id, definition=told))
        session.add(hook := HookRow(id=new_id(), name="h", kind=kind, connection_id=connection.id, secret=b""))
        session.flush()
        ids = (policy.id, connection.id, hook.id, dataset.id)
    yield Met(engine, *ids)
    engine.dispose()
