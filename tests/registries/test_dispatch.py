"""From deliveries to runs: one that cannot be followed holds up none of its own tenant's, and none of another's."""

import json
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine, select

from app.db.identifiers import new_id
from app.db.session import TenantEngine, transaction
from app.db.tables import DEFAULT_TENANT, ConnectionRow, HookDeliveryRow, HookRow, PolicyRow, PolicyRunRow, TenantRow
from app.policies.dispatch import dispatch
from tests.registries.signing import created

OTHER = new_id()


@pytest.fixture
def engine(engine: Engine) -> Engine:
    with transaction(engine) as session:
        session.add(TenantRow(id=OTHER, name="other"))
    return engine


def make_hook(engine: Engine, tenant_id: UUID, policy: object) -> UUID:
    """Of a connection that this policy follows; ``policy`` is its stored definition."""
    with transaction(TenantEngine(engine, tenant_id)) as session:
        connection = ConnectionRow(id=new_id(), name="m", kind="mlflow", url="http://127.0.0.1", auth_kind="none")
        session.add(connection)
        session.flush()
        session.add(PolicyRow(id=new_id(), name="p", connection_id=connection.id, definition=policy))
        hook = HookRow(id=new_id(), name="h", kind="mlflow", connection_id=connection.id, secret=b"")
        session.add(hook)
        session.flush()
        return hook.id


def deliver(engine: Engine, tenant_id: UUID, hook_id: UUID, body: bytes) -> UUID:
    with transaction(TenantEngine(engine, tenant_id)) as session:
        row = HookDeliveryRow(id=new_id(), hook_id=hook_id, key=str(new_id()), event="e", body=body)
        session.add(row)
        session.flush()
        return row.id


def test_one_that_cannot_be_followed_has_failed_and_the_round_goes_on(engine: Engine) -> None:
    whole = {"match": {"model": "*"}, "dataset_id": str(new_id())}
    broken = make_hook(engine, OTHER, {"match": "of another version of the service"})
    sound = make_hook(engine, DEFAULT_TENANT, whole)
    deliveries = [
        deliver(engine, OTHER, broken, created("faces", "1")),
        deliver(engine, DEFAULT_TENANT, sound, created("faces", "1")),
        deliver(engine, OTHER, broken, created("a\0b", "1")),
        deliver(engine, DEFAULT_TENANT, sound, created("faces", "2")),
    ]
    assert [dispatch(engine), dispatch(engine)] == [4, 0]
    with transaction(engine) as session:
        found = [session.get_one(HookDeliveryRow, one) for one in deliveries]
        runs = session.execute(select(PolicyRunRow.version, PolicyRunRow.hook_id).order_by(PolicyRunRow.version)).all()
        failing = session.get_one(HookRow, broken).failing_since
    assert [row.outcome for row in found] == ["failed", "pending", "ignored", "pending"]
    assert "ValidationError" in str(found[0].reason)
    assert runs == [("1", sound), ("2", sound)]
    assert failing is not None


def test_a_hook_of_no_connection_is_followed_over_those_of_policies(engine: Engine) -> None:
    """By each that could fetch what its events name: a version by its name, or files below an address."""
    policies, hooks = dict[str, UUID](), dict[str, UUID]()
    named = {"name": "/name", "version": "/version", "proof": "bearer"}
    mappings: dict[str, Any] = {
        "mlflow": named,
        "s3": named | {"source": "/files", "below": "s3://faces-models/"},
        "http": named | {"source": "/files", "below": "https://files.example.com/"},
    }
    with transaction(TenantEngine(engine, DEFAULT_TENANT)) as session:
        for kind in ("mlflow", "s3"):
            connection = ConnectionRow(id=new_id(), name=kind, kind=kind, url="http://127.0.0.1", auth_kind="none")
            session.add(connection)
            session.flush()
            policies[kind] = new_id()
            followed = {"match": {"model": "faces"}, "dataset_id": str(new_id())}
            session.add(PolicyRow(id=policies[kind], name=kind, connection_id=connection.id, definition=followed))
        for kind, mapping in mappings.items():
            hooks[kind] = new_id()
            session.add(HookRow(id=hooks[kind], name=kind, kind="generic", secret=b"", mapping=mapping))
    bodies = {
        kind: json.dumps({"name": "faces", "version": kind, "files": f"{mapping.get('below')}1.pth"}).encode()
        for kind, mapping in mappings.items()
    }
    bodies["http"] = bodies["http"].replace(b".pth", b".pth#sha256=" + b"0" * 64)
    told = {kind: deliver(engine, DEFAULT_TENANT, hooks[kind], body) for kind, body in bodies.items()}
    assert dispatch(engine) == len(told)
    with transaction(engine) as session:
        runs = session.execute(select(PolicyRunRow.policy_id, PolicyRunRow.version)).all()
        nobody = session.get_one(HookDeliveryRow, told["http"])
    assert {tuple(run) for run in runs} == {(policies[kind], kind) for kind in ("mlflow", "s3")}
    assert nobody.outcome == "ignored"
    assert nobody.reason == "No policy follows a connection over which it could be fetched (http)."
