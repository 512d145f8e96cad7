"""``salience-audit keys``: makes, lists, rotates and revokes API keys."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy.exc import OperationalError, ProgrammingError
from sqlalchemy.orm import Session

from app.access.repository import Grant, list_keys, tenant_named
from app.access.scopes import Scope
from app.access.secret import with_secret
from app.access.service import Mint, create_key, revoke_key, rotate_key
from app.db.session import make_engine, transaction
from app.db.tables import ApiKeyRow
from app.errors import SalienceError
from app.server_file import settings_of

keys = typer.Typer(no_args_is_help=True, help="API keys: who may come in, to which tenant, and for what.")

Data = Annotated[Path, typer.Option(help="Folder of the service: where it runs, and its secret; or set DATABASE_URL.")]
Tenant = Annotated[str, typer.Option(help="Whose; made where there is none of that name.")]
Scopes = Annotated[list[Scope], typer.Option("--scope", help="What it is good for; may be given several times.")]
Key = Annotated[str, typer.Argument(help="Its prefix, as `keys list` shows it.")]
SERVED = Path("data/serve")


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
    with _opened(data) as (session, mint):
        owner = tenant_named(session, _checked(tenant))
        key = create_key(session, mint, Grant(owner.id, tuple(scope), name, lifetime))
    _show(key)


@keys.command("list")
def show_all(
    tenant: Annotated[str | None, typer.Option(help="Only this one's.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,  # noqa: FBT002 - a flag
    data: Data = SERVED,
) -> None:
    """List keys by their prefixes; the secret part of a key is nowhere."""
    with _opened(data) as (session, _):
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
    with _opened(data) as (session, mint):
        made = rotate_key(session, mint, key, timedelta(hours=grace_hours))
    _show(made)


@keys.command()
def revoke(key: Key, data: Data = SERVED) -> None:
    """End a key at once and for good."""
    with _opened(data) as (session, _):
        revoke_key(session, key)


@contextmanager
def _opened(data: Path) -> Iterator[tuple[Session, Mint]]:
    """A transaction and what makes keys; a refusal is told in a line, and the exit status is 1."""
    engine = None
    try:
        settings = with_secret(settings_of(data), data)
        engine = make_engine(settings.database_url)
        with transaction(engine) as session:
            yield session, Mint.of(settings)
    except SalienceError as error:
        _refuse(error.detail)
    except (OperationalError, ProgrammingError) as error:
        _refuse(f"{type(error).__name__}: start the service, or set DATABASE_URL; see salience-audit doctor.")
    finally:
        if engine is not None:
            engine.dispose()


def _refuse(why: str) -> None:
    sys.stderr.write(f"{why}\n")
    raise typer.Exit(1)


def _checked(tenant: str) -> str:
    if not tenant.strip() or len(tenant) > 100 or not tenant.isprintable():
        raise SalienceError("bad-tenant", "A tenant's name has 1 to 100 printable characters.")
    return tenant


def _show(key: str) -> None:
    sys.stdout.write(f"{key}\n")
    sys.stderr.write("Keep it: it is not shown again.\n")


def _described(row: ApiKeyRow, tenant: str, *, active: bool) -> dict[str, Any]:
    status = "rotated" if active and row.rotated_at else "active" if active else "ended"
    times = ("created_at", "expires_at", "rotated_at", "revoked_at", "last_used_at")
    told = {name: time and time.isoformat(timespec="seconds") for name in times for time in [getattr(row, name)]}
    same = {"prefix": row.prefix, "tenant": tenant, "status": status, "scopes": row.scopes, "name": row.name}
    return same | told
