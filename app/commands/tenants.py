"""``salience-audit tenants``: what each tenant has, and how much it may have."""

import sys
from typing import Annotated

import typer
from sqlalchemy import func, select

from app.access.quotas import used_audit_minutes, used_bytes
from app.access.repository import tenant_named
from app.commands.opening import SERVED, Data, checked_name, opened
from app.db.session import TenantEngine, transaction
from app.db.tables import ModelRow, TenantRow

tenants = typer.Typer(no_args_is_help=True, help="Tenants, and how much each may have.")

LIMITS = ("max_models", "max_bytes", "max_live_audits", "max_audit_minutes")
Limit = Annotated[int | None, typer.Option(min=0, help="0: no limit; unset: as it is.")]


@tenants.command("list")
def show_all(data: Data = SERVED) -> None:
    """Each with what it has and its own limits."""
    with opened(data) as (session, _):
        rows = session.scalars(select(TenantRow).order_by(TenantRow.id)).all()
        for row in rows:
            with transaction(TenantEngine(session.get_bind().engine, row.id)) as own:
                models = own.scalar(select(func.count()).select_from(ModelRow))
                has = f"models={models} bytes={used_bytes(own)} audit_minutes={used_audit_minutes(own):.1f}"
            limits = " ".join(f"{name}={getattr(row, name)}" for name in LIMITS)
            sys.stdout.write(f"{row.name}  {has}  {limits.replace('None', 'default')}\n")


@tenants.command()
def limit(
    tenant: Annotated[str, typer.Argument(help="Its name.")],
    max_bytes: Limit = None,
    max_models: Limit = None,
    max_live_audits: Limit = None,
    max_audit_minutes: Limit = None,
    data: Data = SERVED,
) -> None:
    """Give a tenant limits of its own, which go before the settings' MAX_TENANT_..."""
    with opened(data) as (session, _):
        row = tenant_named(session, checked_name(tenant))
        chosen = (max_models, max_bytes, max_live_audits, max_audit_minutes)
        for name, value in zip(LIMITS, chosen, strict=True):
            if value is not None:
                setattr(row, name, value)
