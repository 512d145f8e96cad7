"""``salience-audit keys``: makes, lists, rotates and revokes API keys."""

import json
import sys
from datetime import timedelta
from typing import Annotated, Any

import typer

from app.access.repository import Grant, list_keys, tenant_named
from app.access.scopes import Scope
from app.access.service import create_key, revoke_key, rotate_key
from app.commands.opening import SERVED, Data, checked_name, opened
from app.db.tables import ApiKeyRow

keys = typer.Typer(no_args_is_help=True, help="API keys: who may come in, to which tenant, and for what.")

Tenant = Annotated[str, typer.Option(help="Whose; made where there is none of that name.")]
Scopes = Annotated[list[Scope], typer.Option("--scope", help="What it is good for; may be given several times.")]
Key = Annotated[str, typer.Argument(help="Its prefix, as `keys list` shows it.")]


@keys.command()
def create(
    tenant: Tenant,
    scope: Scopes,
    name: Annotated[str | None, typer.Option(help="What it is for.")] = None,
    expires_in_days: Annotated[float | None, typer.Option(min=0, help="Unset: until it is revoked.")] = None,
    data: Data = SERVED,
) -> None:
    """Print a new key, once: only its hash is stored."""
    lifetime = None if expires_in_days is None else timedelta(days=expires_in_days)
    with opened(data) as (session, mint):
        owner = tenant_named(session, checked_name(tenant))
        key = create_key(session, mint, Grant(owner.id, tuple(scope), name, lifetime))
    _show(key)


@keys.command("list")
def show_all(
    tenant: Annotated[str | None, typer.Option(help="Only this one's.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,  # noqa: FBT002 - a flag
    data: Data = SERVED,
) -> None:
    """List keys by their prefixes; the secret part of a key is nowhere."""
    with opened(data) as (session, _):
        found = [_described(row, owner, active=active) for row, owner, active in list_keys(session, tenant)]
    if as_json:
        sys.stdout.write(json.dumps(found, indent=2) + "\n")
        return
    for key in found:
        last = f"last used {key['last_used_at']}" if key["last_used_at"] else "never used"
        words = [key["prefix"], f"{key['status']:8}", key["tenant"], ",".join(key["scopes"]), last]
        sys.stdout.write("  ".join([*words, key["name"] or ""]).rstrip() + "\n")


@keys.command()
def rotate(
    key: Key,
    grace_hours: Annotated[float, typer.Option(min=0, help="How long the old key still works.")] = 24.0,
    data: Data = SERVED,
) -> None:
    """Print a key that replaces this one; until the grace ends both work, the old one with `Deprecation`."""
    with opened(data) as (session, mint):
        made = rotate_key(session, mint, key, timedelta(hours=grace_hours))
    _show(made)


@keys.command()
def revoke(key: Key, data: Data = SERVED) -> None:
    """End a key at once and for good."""
    with opened(data) as (session, _):
        revoke_key(session, key)


def _show(key: str) -> None:
    sys.stdout.write(f"{key}\n")
    sys.stderr.write("Keep it: it is not shown again.\n")


def _described(row: ApiKeyRow, tenant: str, *, active: bool) -> dict[str, Any]:
    status = "rotated" if active and row.rotated_at else "active" if active else "ended"
    times = ("created_at", "expires_at", "rotated_at", "revoked_at", "last_used_at")
    told = {name: time and time.isoformat(timespec="seconds") for name in times for time in [getattr(row, name)]}
    same = {"prefix": row.prefix, "tenant": tenant, "status": status, "scopes": row.scopes, "name": row.name}
    return same | told
