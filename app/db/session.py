"""The engine and the one way to open a transaction: for the service itself, or for one tenant."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import URL, Connection, Engine, create_engine, event, func, make_url, select, text
from sqlalchemy.exc import ArgumentError
from sqlalchemy.orm import ORMExecuteState, Session, SessionTransaction, with_loader_criteria

from app.db.tables import TenantOwned

APPLICATION_NAME = "salience-audit"
_WRITE_FOR = text("SELECT set_config('app.tenant', :tenant_id, true)")
# The role sees and changes, by row security, the rows of the tenant that the setting names; no others.
_ACT_AS_TENANT = text("SELECT set_config('role', tenant_role(), true), set_config('app.tenant', :tenant_id, true)")

# libpq's: a line that has fallen silent is given up within half a minute instead of hours.
_SILENT_LINES = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 4, "tcp_user_timeout": 30_000}


# pgbouncer and its like hand every transaction another connection: none may rely on what an earlier one prepared.
_NOTHING_PREPARED = {"prepare_threshold": None}

_DRIVERS = ("postgresql+psycopg", "postgresql", "postgres", "postgres+psycopg")


def make_engine(url: str) -> Engine:
    """A pool that notices a restarted server before it hands out a connection.

    ``postgres://`` and ``postgresql://``, as providers give them, mean the one driver that there is. Raises
    ArgumentError where the URL is none.
    """
    return create_engine(
        _address(url),
        pool_pre_ping=True,
        pool_size=10,
        max_overflow=20,
        hide_parameters=True,  # an error's text goes into logs; what was being stored does not
        connect_args={"application_name": APPLICATION_NAME, "connect_timeout": 10} | _SILENT_LINES | _NOTHING_PREPARED,
    )


def _address(url: str) -> URL:
    try:
        named = make_url(url)
    except ValueError as error:
        raise ArgumentError("its port is no number") from error
    if named.drivername not in _DRIVERS:
        raise ArgumentError(f"{named.drivername} is no PostgreSQL")
    return named.set(drivername=_DRIVERS[0])


@dataclass(frozen=True)
class TenantEngine:
    """The database as one tenant sees it."""

    engine: Engine
    tenant_id: UUID

    def session(self) -> Session:
        """Finds, changes and deletes rows of the tenant alone; what it adds is the tenant's."""
        return _TenantSession(self.engine, expire_on_commit=False, info={"tenant_id": self.tenant_id})


@contextmanager
def transaction(engine: Engine | TenantEngine) -> Iterator[Session]:
    """A session that commits at the end of the block, and rolls back where the block raises."""
    opened = engine.session() if isinstance(engine, TenantEngine) else Session(engine, expire_on_commit=False)
    with opened as session, session.begin():
        yield session


def clock(session: Session) -> datetime:
    """What the database's clock shows now, whenever the transaction began."""
    shown: datetime = session.execute(select(func.clock_timestamp())).scalar_one()
    return shown


def write_for(session: Session, tenant_id: UUID) -> None:
    """What the service itself writes from here to the transaction's end is the tenant's."""
    session.execute(_WRITE_FOR, {"tenant_id": str(tenant_id)})


class _TenantSession(Session):
    """``info["tenant_id"]`` says whose."""


@event.listens_for(_TenantSession, "after_begin")
def _act_as_tenant(session: Session, _: SessionTransaction, connection: Connection) -> None:
    """The second guard, until the transaction's end (``SET LOCAL``): the database looks at every row itself."""
    connection.execute(_ACT_AS_TENANT, {"tenant_id": str(session.info["tenant_id"])})


@event.listens_for(_TenantSession, "do_orm_execute")
def _restrict(state: ORMExecuteState) -> None:
    """The first guard: every query of rows that tenants own gets its WHERE here; no repository can forget it."""
    is_query = state.is_select or state.is_update or state.is_delete
    if is_query and not state.is_column_load and not state.is_relationship_load:
        tenant_id = state.session.info["tenant_id"]
        state.statement = state.statement.options(_owned_by(tenant_id))


def _owned_by(tenant_id: UUID) -> Any:
    return with_loader_criteria(TenantOwned, lambda row: row.tenant_id == tenant_id, include_aliases=True)
