"""SQL of tenants and keys. None of it belongs to a tenant's own session."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Text, bindparam, exists, func, or_, select
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.orm import Session

from app.access.keys import PREFIX_LENGTH
from app.access.scopes import Scope
from app.db.identifiers import new_id
from app.db.tables import ApiKeyRow, TenantRow
from app.errors import Conflict, NotFound


class NewKey(NamedTuple):
    """What is stored of a key that was just made."""

    prefix: str
    key_hash: bytes


class Grant(NamedTuple):
    """What a key is good for."""

    tenant_id: UUID
    scopes: Sequence[Scope]
    name: str | None = None
    lifetime: timedelta | None = None
    """None: until it is revoked."""
    replaces: UUID | None = None


def tenant_named(session: Session, name: str) -> TenantRow:
    """Made where there is none of that name."""
    session.execute(insert(TenantRow).values(id=new_id(), name=name).on_conflict_do_nothing())
    return session.scalars(select(TenantRow).where(TenantRow.name == name)).one()


def insert_key(session: Session, new: NewKey, grant: Grant) -> ApiKeyRow:
    row = ApiKeyRow(
        id=new_id(),
        tenant_id=grant.tenant_id,
        prefix=new.prefix,
        key_hash=new.key_hash,
        replaces=grant.replaces,
        name=grant.name,
        scopes=[str(scope) for scope in grant.scopes],
        expires_at=None if grant.lifetime is None else func.clock_timestamp() + grant.lifetime,
    )
    session.add(row)
    session.flush()
    return row


def is_active() -> ColumnElement[bool]:
    """Neither revoked nor expired, on the database's clock."""
    lasting = or_(ApiKeyRow.expires_at.is_(None), ApiKeyRow.expires_at > func.clock_timestamp())
    return ApiKeyRow.revoked_at.is_(None) & lasting


class StoredKey(NamedTuple):
    """What is known of an active key."""

    id: UUID
    tenant_id: UUID
    prefix: str
    key_hash: bytes
    scopes: list[str]
    rotated_at: datetime | None
    expires_at: datetime | None


_PREFIXES = bindparam("prefixes", type_=ARRAY(Text))
# Made once: every request asks it.
_ACTIVE = select(*(getattr(ApiKeyRow, name) for name in StoredKey._fields)).where(
    ApiKeyRow.prefix == func.any(_PREFIXES), is_active()
)


def active_keys(connection: Connection | Session, prefixes: Collection[str]) -> dict[str, StoredKey]:
    """By their prefixes."""
    found = connection.execute(_ACTIVE, {"prefixes": list(prefixes)})
    return {row.prefix: StoredKey(*row) for row in found}


def any_active_key(session: Session) -> bool:
    """Whether anybody could come in."""
    return bool(session.scalar(select(exists().where(is_active()))))


def list_keys(
    session: Session, tenant: str | None = None, prefix: str | None = None
) -> Sequence[tuple[ApiKeyRow, str, bool]]:
    """The oldest first, each with its tenant's name and whether it is active."""
    query = select(ApiKeyRow, TenantRow.name, is_active()).join(TenantRow, TenantRow.id == ApiKeyRow.tenant_id)
    query = query if tenant is None else query.where(TenantRow.name == tenant)
    query = query if prefix is None else query.where(ApiKeyRow.prefix == prefix)
    return [(row, owner, active) for row, owner, active in session.execute(query.order_by(ApiKeyRow.id))]


def lock_key(session: Session, prefix: str) -> ApiKeyRow:
    """By its prefix, or a whole key. Raises NotFound; Conflict ``key-inactive`` where it is no longer good."""
    chosen = ApiKeyRow.prefix == prefix[:PREFIX_LENGTH]
    row = session.scalar(select(ApiKeyRow).where(chosen).with_for_update())
    if row is None:
        raise NotFound("key")
    if not session.scalar(select(is_active()).where(chosen)):
        raise Conflict("key-inactive", "The key was revoked, or has expired.")
    return row


def retire_key(session: Session, row: ApiKeyRow, grace: timedelta) -> None:
    """From now on another one is to be used; it still works for the grace, but not longer than it would have.

    Raises Conflict ``key-rotated`` where it was rotated before, ``key-in-grace`` where the one that it replaced still
    works: of a key, two are active at most.
    """
    if row.rotated_at is not None:
        raise Conflict("key-rotated", "The key was rotated already; rotate the one that replaced it.")
    if session.scalar(select(exists().where(ApiKeyRow.id == row.replaces, is_active()))):
        raise Conflict("key-in-grace", "The key before this one still works; revoke it, or wait until it ends.")
    row.rotated_at = func.clock_timestamp()
    row.expires_at = func.least(row.expires_at, func.clock_timestamp() + grace)  # LEAST passes over null
    session.flush()
