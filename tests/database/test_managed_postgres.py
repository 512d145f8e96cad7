"""Databases as managed Postgres gives them: a user that is no superuser, on a cluster that others use as well."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from psycopg.sql import SQL, Identifier
from sqlalchemy import text

from app.access.repository import tenant_named
from app.db.migrations import migrate
from app.db.session import TenantEngine, make_engine, transaction
from app.db.tables import GateRow
from app.db.tenant_role import TENANT_ROLE
from app.db.trial import try_requests_work
from app.embedded.ports import free_port
from app.embedded.postgres import EmbeddedPostgres
from app.errors import SalienceError, Unavailable
from tests import forked

Lend = Callable[[str], str]


@pytest.fixture
def administrator(postgres: EmbeddedPostgres) -> Iterator[psycopg.Connection]:
    url = postgres.url.replace("+psycopg", "").rpartition("/")[0] + "/postgres"
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


@pytest.fixture
def lend(postgres: EmbeddedPostgres, administrator: psycopg.Connection) -> Iterator[Lend]:
    """A user with these attributes and a database of its own; the URL as providers write it."""
    names: list[str] = []

    def lent(attributes: str) -> str:
        name = f"app_{uuid4().hex}"
        names.append(name)
        administrator.execute(SQL(f"CREATE ROLE {{}} LOGIN PASSWORD 'app' {attributes}").format(Identifier(name)))
        administrator.execute(SQL("CREATE DATABASE {0} OWNER {0}").format(Identifier(name)))
        return f"postgres://{name}:app@127.0.0.1:{postgres.port}/{name}"

    yield lent
    for name in names:
        administrator.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))
    own = administrator.execute("SELECT rolname FROM pg_roles WHERE rolname LIKE %s", [f"{TENANT_ROLE}\\_%"])
    for role in [*(row[0] for row in own), *names]:
        administrator.execute(SQL("DROP ROLE {}").format(Identifier(role)))


def names_seen(engine: TenantEngine) -> list[str]:
    with transaction(engine) as session:
        return list(session.scalars(text("SELECT name FROM gates")))


def test_two_users_who_may_make_roles_share_a_cluster(lend: Lend) -> None:
    """Neither may act as the role that the first service's user made; each gets one of its own."""
    told = set()
    for _ in range(2):
        engine = make_engine(lend("CREATEROLE"))
        migrate(engine)
        migrate(engine)
        with transaction(engine) as session:
            told.add(session.scalar(text("SELECT tenant_role()")))
            first, second = (TenantEngine(engine, tenant_named(session, name).id) for name in "ab")
        with transaction(first) as session:
            assert session.scalar(text("SELECT current_user = tenant_role()"))
            session.add(GateRow(id=uuid4(), name="mine", conditions=[]))
        assert (names_seen(first), names_seen(second)) == (["mine"], [])
        engine.dispose()
    assert len(told) == 2
    assert TENANT_ROLE not in told


def test_a_membership_without_set(lend: Lend, administrator: psycopg.Connection) -> None:
    """What Postgres 16 gives whoever makes a role, and what migrate left as it was: healthy, and every request 500."""
    url = lend("CREATEROLE")
    engine = make_engine(url)
    migrate(engine)
    with transaction(engine) as session:
        role, user = session.execute(text("SELECT tenant_role(), current_user")).one()
        session.execute(text(f"REVOKE SET OPTION FOR {role} FROM {user}"))
        tenant = TenantEngine(engine, tenant_named(session, "a").id)
    with pytest.raises(Unavailable, match=f'permission denied to set role "{role}"; run `salience-audit migrate`'):
        try_requests_work(tenant.session())
    migrate(engine)
    try_requests_work(tenant.session())
    engine.dispose()


def test_a_user_who_may_make_no_role(lend: Lend, administrator: psycopg.Connection) -> None:
    """What an administrator has to do is told, and is enough."""
    engine = make_engine(lend(""))
    with pytest.raises(SalienceError, match="as an administrator run CREATE ROLE") as refused:
        migrate(engine)
    told = refused.value.detail.partition("; GRANT ")[2].partition(";")[0]
    with psycopg.connect(administrator.info.dsn, password=administrator.info.password, autocommit=True) as boss:
        boss.execute(SQL(f"GRANT {told}"))
    migrate(engine)
    with transaction(engine) as session:
        assert session.scalar(text("SELECT tenant_role()")) == TENANT_ROLE
    engine.dispose()


@pytest.mark.parametrize(
    "command", [["migrate"], ["keys", "list"], ["tenants", "list"], ["worker"], ["serve"], ["doctor"]]
)
def test_every_command_tells_in_a_sentence(command: list[str], lend: Lend, broker_url: str, tmp_path: Path) -> None:
    """Every fault to one command, one fault to every command: all read the address in one place."""
    secret = "hunter2"
    database = f"postgres://app:{secret}@127.0.0.1"
    good = lend("")
    faults = {good.replace(":app@", f":{secret}@"): "correct user and password in DATABASE_URL"}
    if command == ["migrate"]:
        faults |= {
            f"{good}?sslmode=require": "no TLS",
            f"{database}:{free_port()}/app": "start Postgres",
            "nonsense": "DATABASE_URL has the form",
        }
    for url, way_out in faults.items():
        environment = os.environ | {"DATABASE_URL": url, "BROKER_URL": broker_url, "BLOB_STORE": str(tmp_path / "b")}
        done = forked.run(command, environment)
        said = done.stdout + done.stderr
        assert done.returncode == 1, said
        assert way_out in said, said
        assert "Traceback" not in said
        assert secret not in said
