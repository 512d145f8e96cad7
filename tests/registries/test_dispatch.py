"""From deliveries to runs: one that cannot be followed holds up none of its own tenant's, and none of another's."""

from collections.abc import Iterator
from uuid import UUID

import pytest
from sqlalchemy import Engine, select

from app.db.identifiers import new_id
from app.db.session import TenantEngine, make_engine, transaction
from app.db.tables import DEFAULT_TENANT, ConnectionRow, HookDeliveryRow, HookRow, PolicyRow, PolicyRunRow, TenantRow
from app.policies.dispatch import dispatch
from tests.registries.signing import created

OTHER = new_id()


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = make_engine(database_url)
    with transaction(engine) as session:
        session.add(TenantRow(id=OTHER, name="other"))
    yield engine
    engine.dispose()


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
