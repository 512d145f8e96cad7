"""``salience-audit keys``: makes, lists, rotates and revokes API keys."""

import sys
from datetime import timedelta
from typing import Annotated, Any

import typer
from sqlalchemy.orm import Session

from app.access.keys import prefix_of
from app.access.repository import Grant, list_keys, tenant_named
from app.access.scopes import Scope
from app.access.service import create_key, revoke_key, rotate_key
from app.commands.bundles import with_bundles
from app.commands.operator_options import OperatorOptions, checked_name
from app.db.tables import ApiKeyRow

keys = typer.Typer(no_args_is_help=True, help="API keys: who may come in, to which tenant, and for what.")

Tenant = Annotated[str, typer.Option(help="Whose; made where there is none of that name.")]
Scopes = Annotated[list[Scope], typer.Option("--scope", help="What it is good for; may be given several times.")]
Key = Annotated[str, typer.Argument(help="Its prefix, as `keys list` shows it.")]
Json = dict[str, Any]


@keys.command()
@with_bundles
def create(
    tenant: Tenant,
    scope: Scopes,
    options: OperatorOptions,
    name: Annotated[str | None, typer.Option(help="What it is for.")] = None,
    expires_in_days: Annotated[float | None, typer.Option(min=0, help="Unset: until it is revoked.")] = None,
) -> None:
    """Print a new key, once: only its hash is stored."""
    lifetime = None if expires_in_days is None else timedelta(days=expires_in_days)
    with options.opened() as (session, signer):
        owner = tenant_named(session, checked_name(tenant))
        key = create_key(session, signer, Grant(owner.id, tuple(scope), name, lifetime))
        made = _of(session, prefix_of(key))
    _show(options, key, made)


@keys.command("list")
@with_bundles
def show_all(
    options: OperatorOptions,
    tenant: Annotated[str | None, typer.Option(help="Only this one's.")] = None,
) -> None:
    """List keys by their prefixes; the secret part of a key is nowhere."""
    with options.opened() as (session, _):
        found = [_described(row, owner, active=active) for row, owner, active in list_keys(session, tenant)]
    options.show(found, [_line(key) for key in found])


@keys.command()
@with_bundles
def rotate(
    key: Key,
    options: OperatorOptions,
    grace_hours: Annotated[float, typer.Option(min=0, help="How long the old key still works.")] = 24.0,
) -> None:
    """Print a key that replaces this one; until the grace ends both work, the old one with `Deprecation`."""
    with options.opened() as (session, signer):
        new = rotate_key(session, signer, key, timedelta(hours=grace_hours))
        made = _of(session, prefix_of(new)) | {"replaces": _of(session, prefix_of(key))}
    _show(options, new, made)


@keys.command()
@with_bundles
def revoke(key: Key, options: OperatorOptions) -> None:
    """End a key at once and for good."""
    with options.opened() as (session, _):
        revoke_key(session, key)
        ended = _of(session, prefix_of(key))
    options.show(ended)


def _show(options: OperatorOptions, key: str, made: Json) -> None:
    options.show({"key": key} | made, [key])
    sys.stderr.write("Keep it: it is not shown again.\n")


def _of(session: Session, prefix: str) -> Json:
    """What `keys list` tells of one that exists."""
    [(row, owner, active)] = list_keys(session, prefix=prefix)
    return _described(row, owner, active=active)


def _described(row: ApiKeyRow, tenant: str, *, active: bool) -> Json:
    status = "rotated" if active and row.rotated_at else "active" if active else "ended"
    times = ("created_at", "expires_at", "rotated_at", "revoked_at", "last_used_at")
    told = {name: time and time.isoformat(timespec="seconds") for name in times for time in [getattr(row, name)]}
    same = {"prefix": row.prefix, "tenant": tenant, "status": status, "scopes": row.scopes, "name": row.name}
    return same | told


def _line(key: Json) -> str:
    last = f"last used {key['last_used_at']}" if key["last_used_at"] else "never used"
    words = [key["prefix"], f"{key['status']:8}", key["tenant"], ",".join(key["scopes"]), last]
    return "  ".join([*words, key["name"] or ""]).rstrip()
