"""``salience-audit tenants``: what each tenant has, and how much it may have."""

from typing import Annotated, Any

import typer
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.access.quotas import used_audit_minutes, used_bytes
from app.access.repository import tenant_named
from app.commands.bundles import with_bundles
from app.commands.operator_options import OperatorOptions, checked_name
from app.db.session import TenantEngine, transaction
from app.db.tables import ModelRow, TenantRow

tenants = typer.Typer(no_args_is_help=True, help="Tenants, and how much each may have.")

LIMITS = ("max_models", "max_bytes", "max_live_audits", "max_audit_minutes")
Limit = Annotated[int | None, typer.Option(min=0, help="0: no limit; unset: as it is.")]
Json = dict[str, Any]


@tenants.command("list")
@with_bundles
def show_all(options: OperatorOptions) -> None:
    """Each with what it has and its own limits."""
    with options.opened() as (session, _):
        rows = session.scalars(select(TenantRow).order_by(TenantRow.id)).all()
        found = [_named(row) | {"has": _has(session, row)} | _limits(row) for row in rows]
    options.show(found, [_line(tenant) for tenant in found])


@tenants.command()
@with_bundles
def limit(
    tenant: Annotated[str, typer.Argument(help="Its name.")],
    options: OperatorOptions,
    max_bytes: Limit = None,
    max_models: Limit = None,
    max_live_audits: Limit = None,
    max_audit_minutes: Limit = None,
) -> None:
    """Give a tenant limits of its own, which go before the settings' MAX_TENANT_..."""
    with options.opened() as (session, _):
        row = tenant_named(session, checked_name(tenant))
        chosen = (max_models, max_bytes, max_live_audits, max_audit_minutes)
        for name, value in zip(LIMITS, chosen, strict=True):
            if value is not None:
                setattr(row, name, value)
        limited = _named(row) | _limits(row)
    options.show(limited)


def _named(row: TenantRow) -> Json:
    return {"tenant": row.name}


def _limits(row: TenantRow) -> Json:
    """Its own; null where the settings' goes."""
    return {"limits": {name: getattr(row, name) for name in LIMITS}}


def _has(session: Session, row: TenantRow) -> Json:
    with transaction(TenantEngine(session.get_bind().engine, row.id)) as own:
        models = own.scalar(select(func.count()).select_from(ModelRow))
        return {"models": models, "bytes": used_bytes(own), "audit_minutes": used_audit_minutes(own)}


def _line(tenant: Json) -> str:
    held = tenant["has"]
    has = f"models={held['models']} bytes={held['bytes']} audit_minutes={held['audit_minutes']:.1f}"
    limits = " ".join(f"{name}={'default' if value is None else value}" for name, value in tenant["limits"].items())
    return f"{tenant['tenant']}  {has}  {limits}"
