"""The second guard: the application's WHERE is taken away, and a tenant still sees and changes its own rows alone."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine, event, func, insert, inspect, select, text, update
from sqlalchemy.exc import ProgrammingError

from app.access.repository import tenant_named
from app.db import session as sessions
from app.db.identifiers import new_id
from app.db.session import TenantEngine, transaction
from app.db.tables import Base, DatasetRow, ModelRow, TenantOwned
from app.db.tenant_role import TENANT_ROLE
from tests.api.audit_rows import add_audit

SERVICE_ALONE = {"alembic_version", "api_keys", "counters", "gpu_reports"}
READABLE = {"workers", "tenants"}
"""The second one shows a tenant its own row."""


@pytest.fixture
def without_first_guard() -> Iterator[None]:
    event.remove(sessions._TenantSession, "do_orm_execute", sessions._restrict)
    yield
    event.listen(sessions._TenantSession, "do_orm_execute", sessions._restrict)


@pytest.fixture
def tenants(engine: Engine) -> list[TenantEngine]:
    """Two, the first with one row in every table."""
    with transaction(engine) as session:
        ids = [tenant_named(session, name).id for name in ("a:b", "a")]
    first, second = (TenantEngine(engine, tenant_id) for tenant_id in ids)
    fill(first)
    return [first, second]


def fill(tenant: TenantEngine) -> None:
    """One row in every table that tenants see, parents first, by the columns' types."""
    made: dict[str, dict[str, Any]] = {}
    with transaction(tenant) as session:
        for table in Base.metadata.sorted_tables:
            if table.name in SERVICE_ALONE | READABLE:
                continue
            row: dict[str, Any] = {}
            for column in table.columns:
                parents = [key.column for key in column.foreign_keys if key.column.table.name != "tenants"]
                if parents:
                    row[column.name] = made[parents[0].table.name][parents[0].name]
                elif column.name != "tenant_id" and not column.nullable and column.server_default is None:
                    row[column.name] = some(column.type.python_type)
            session.execute(insert(table).values(row))
            made[table.name] = row


def some(kind: type) -> Any:
    made = {UUID: new_id(), str: "x", int: 1, float: 1.0, bool: False, bytes: b"x", dict: {}, list: []}
    made[object] = {}  # JSONB tells no type
    return made[kind]


def tables_of_tenants() -> list[str]:
    return [table.name for table in Base.metadata.sorted_tables if table.name not in SERVICE_ALONE | READABLE]


def count(engine: Engine | TenantEngine, table: str) -> int:
    with transaction(engine) as session:
        return session.scalar(text(f"SELECT count(*) FROM {table}")) or 0


def test_every_table_is_behind_the_guard(engine: Engine) -> None:
    """A new table is no tenant's until it says whose its rows are."""
    secured = "SELECT relname FROM pg_class WHERE relrowsecurity AND relforcerowsecurity"
    with transaction(engine) as session:
        found = set(session.scalars(text(secured)))
        role = session.execute(text(f"SELECT * FROM pg_roles WHERE rolname = '{TENANT_ROLE}'")).mappings().one()
    unsecured = SERVICE_ALONE | {"workers"}
    assert found == set(inspect(engine).get_table_names()) - unsecured == {*tables_of_tenants(), "tenants"}
    assert not any(role[name] for name in ("rolsuper", "rolbypassrls", "rolcanlogin", "rolcreaterole"))


def test_raw_queries_see_a_tenants_own_rows(engine: Engine, tenants: list[TenantEngine]) -> None:
    first, second = tenants
    for table in tables_of_tenants():
        assert (count(engine, table), count(first, table), count(second, table)) == (1, 1, 0), table
        for statement in (f"DELETE FROM {table}", f"UPDATE {table} SET {columns(table)[0]} = {columns(table)[0]}"):
            with transaction(second) as session:
                assert session.connection().execute(text(statement)).rowcount == 0, statement
    assert count(TenantEngine(engine, new_id()), "models") == 0


def columns(table: str) -> list[str]:
    return [column.name for column in Base.metadata.tables[table].columns]


def test_the_code_without_its_where(engine: Engine, tenants: list[TenantEngine], without_first_guard: None) -> None:
    first, second = tenants
    assert [type(owned) for owned in TenantOwned.__subclasses__()]
    with transaction(first) as session:
        (model,) = session.scalars(select(ModelRow.id))
    with transaction(second) as session:
        assert session.get(ModelRow, model) is None
        assert session.get(ModelRow, model, with_for_update=True) is None
        assert session.scalars(select(DatasetRow)).all() == []
        assert session.execute(update(ModelRow).values(name="mine")).rowcount == 0  # type: ignore[attr-defined]


def test_with_the_first_guard_alone(tenants: list[TenantEngine]) -> None:
    """As a superuser, to whom row security does not apply."""
    with transaction(tenants[1]) as session:
        session.execute(text("RESET ROLE"))
        assert session.scalar(text("SELECT count(*) FROM models")) == 1
        assert session.scalar(select(func.count()).select_from(ModelRow)) == 0
        assert session.execute(update(ModelRow).values(name="mine")).rowcount == 0  # type: ignore[attr-defined]


def test_nothing_is_written_for_another(tenants: list[TenantEngine]) -> None:
    first, second = tenants
    row = {"id": new_id(), "name": "x", "labels": [], "sources": [], "notes": [], "extra": {}, "status": "ready"}
    row |= {"sample_count": 0, "unreadable_count": 0}
    with pytest.raises(ProgrammingError, match="row-level security"), transaction(second) as session:
        session.execute(insert(DatasetRow).values(row | {"tenant_id": first.tenant_id}))
    with transaction(second) as session:
        assert session.scalars(text("SELECT id FROM tenants")).all() == [second.tenant_id]
    for statement in (
        "UPDATE tenants SET max_bytes = 0",
        "DELETE FROM workers",
        "INSERT INTO api_keys (id) VALUES (null)",
    ):
        with pytest.raises(ProgrammingError, match="permission denied"), transaction(second) as session:
            session.execute(text(statement))
    for table in SERVICE_ALONE:
        with pytest.raises(ProgrammingError, match="permission denied"):
            count(second, table)


def test_the_guard_ends_with_the_transaction(engine: Engine, tenants: list[TenantEngine]) -> None:
    """The connection goes back to the pool as the service's own."""
    for _ in range(3):
        assert count(tenants[1], "models") == 0
        with transaction(engine) as session:
            assert session.scalar(text("SELECT current_user")) != TENANT_ROLE
            assert not session.scalar(text("SELECT current_setting('app.tenant', true)"))
        assert count(engine, "models") == 1


def test_deleting_takes_what_hangs_on_it(engine: Engine, tenants: list[TenantEngine]) -> None:
    """Cascades pass the guard, as they belong to the parent."""
    with transaction(tenants[0]) as session:
        session.execute(text("DELETE FROM audits"))
    assert {count(engine, table) for table in ("shards", "sample_scores", "audit_results", "clean_sources")} == {0}


def test_an_owner_who_is_no_superuser(engine: Engine, tenants: list[TenantEngine]) -> None:
    """The service itself sees all tenants under FORCE as well."""
    owner = f"owner_{new_id().hex}"
    with transaction(engine) as session:
        session.execute(
            text(f"CREATE ROLE {owner}; GRANT {TENANT_ROLE} TO {owner}; SET LOCAL client_min_messages = error")
        )
        for table in tables_of_tenants():
            session.execute(text(f"ALTER TABLE {table} OWNER TO {owner}"))
    with transaction(engine) as session:
        session.execute(text(f"SET LOCAL ROLE {owner}"))
        assert session.scalar(text("SELECT count(*) FROM models")) == 1
        session.execute(text(f"SET LOCAL ROLE {TENANT_ROLE}"))
        assert session.scalar(text("SELECT count(*) FROM models")) == 0
    add_audit(engine, shards=1)
