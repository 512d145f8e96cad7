"""The role that transactions of tenants act as: chosen before the first migration, then told by ``tenant_role()``.

Roles belong to the cluster, not to the database. All databases share ``salience_audit_tenant`` where their users may
act as it. A fresh database whose user may not (another service's user made the role) gets a role of its own.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, event, text
from sqlalchemy.exc import DBAPIError

from app.errors import SalienceError

TENANT_ROLE = "salience_audit_tenant"
FIRST_WITH_SET = 160_000
"""Since Postgres 16 a membership has options; whoever makes a role gets ADMIN on it without SET."""

_CAN_ACT = text("SELECT pg_has_role(current_user, CAST(:role AS name), :privilege)")
_IS_THERE = text("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = :role)")
_TOLD = text("SELECT to_regprocedure('tenant_role()') IS NOT NULL")
_HAS_POLICIES = text("SELECT EXISTS (SELECT FROM pg_policies WHERE schemaname = current_schema())")


def prepare_role(connection: Connection) -> str:
    """Make what is missing of role and membership; the role's name.

    Raises SalienceError ``database-role-missing`` where this database's user may not do that.
    """
    names = _candidates(connection)
    for name in names:
        if _obtained(connection, name):
            return name
    user = connection.scalar(text("SELECT current_user"))
    option = " WITH SET TRUE" if _knows_set(connection) else ""
    raise SalienceError(
        "database-role-missing",
        f"The database's user {user} may not act as the role {names[0]}, nor make one; as an administrator run "
        f"CREATE ROLE {names[0]} NOLOGIN (unless it is there); GRANT {names[0]} TO {user}{option}; and migrate again.",
    )


@contextmanager
def named_in_migrations(connection: Connection, role: str) -> Iterator[None]:
    """Migrations say ``salience_audit_tenant``; on this connection that is the database's own role."""

    def rename(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> tuple[str, Any]:
        return statement.replace(TENANT_ROLE, role), parameters

    event.listen(connection, "before_cursor_execute", rename, retval=True)
    try:
        yield
    finally:
        event.remove(connection, "before_cursor_execute", rename)


def _candidates(connection: Connection) -> list[str]:
    """One, where row security knows a role already: to act as another would open that guard."""
    if connection.scalar(_TOLD):
        return [str(connection.scalar(text("SELECT tenant_role()")))]
    if connection.scalar(_HAS_POLICIES):
        return [TENANT_ROLE]
    database = str(connection.scalar(text("SELECT current_database()")))
    return [TENANT_ROLE, f"{TENANT_ROLE}_{hashlib.sha256(database.encode()).hexdigest()[:12]}"]


def _obtained(connection: Connection, role: str) -> bool:
    try:
        with connection.begin_nested():
            if not connection.scalar(_IS_THERE, {"role": role}):
                connection.execute(text(f"CREATE ROLE {role} NOLOGIN"))
            if not _can_act(connection, role):
                option = " WITH SET TRUE" if _knows_set(connection) else ""
                connection.execute(text(f"GRANT {role} TO CURRENT_USER{option}"))
            return _can_act(connection, role)
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) in {"42501", "0LP01"}:  # may not; a grant that goes in circles
            return False
        raise


def _can_act(connection: Connection, role: str) -> bool:
    """Before Postgres 16 whoever is a member may act as the role; since then being one says nothing of that."""
    privilege = "SET" if _knows_set(connection) else "MEMBER"
    return bool(connection.scalar(_CAN_ACT, {"role": role, "privilege": privilege}))


def _knows_set(connection: Connection) -> bool:
    return int(connection.scalar(text("SHOW server_version_num")) or 0) >= FIRST_WITH_SET
