"""What registries tell, and what follows from it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.db.tables.base import Base, Due, Identified, Json


class HookRow(Identified, Base):
    """Where a registry's events arrive."""

    __tablename__ = "hooks"

    name: Mapped[str]
    kind: Mapped[str]
    connection_id: Mapped[UUID | None] = mapped_column(ForeignKey("connections.id", ondelete="RESTRICT"), index=True)
    """Null of events that policies follow each over its own connection."""
    secret: Mapped[bytes] = mapped_column(LargeBinary)
    previous_secret: Mapped[bytes | None] = mapped_column(LargeBinary)
    previous_until: Mapped[datetime | None]
    """Until then the secret before the last rotation is good as well."""
    failing_since: Mapped[datetime | None]
    """What its events lead to has failed since then, and that was told; null once a version was audited again."""
    refused_since: Mapped[datetime | None]
    """Since then deliveries came that proved nothing, and none that did."""
    refusals_told_at: Mapped[datetime | None]
    """When the owner was last told of such; it is not forgotten by a delivery that proves itself."""
    mapping: Mapped[Json | None] = mapped_column(JSONB(none_as_null=True))
    """Where its events say what they are about (``app.hooks.mapping``); null of kinds with a form of their own."""
    kept: Mapped[int] = mapped_column(default=0, server_default="0")
    """Deliveries; whoever keeps or removes some counts them here, in the same transaction."""
    kept_bytes: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    """Of their bodies."""


class HookDeliveryRow(Identified, Base):
    """One event that arrived and was authentic."""

    __tablename__ = "hook_deliveries"
    __table_args__ = (
        Index("ix_hook_deliveries_tenant", "tenant_id", "id"),
        Index("ix_hook_deliveries_waiting", "id", postgresql_where=text("outcome = 'pending' AND runs IS NULL")),
        Index("ix_hook_deliveries_key", "hook_id", "key", unique=True),
    )

    hook_id: Mapped[UUID] = mapped_column(ForeignKey("hooks.id", ondelete="CASCADE"))
    key: Mapped[str]
    """Equal whenever the registry sends it again."""
    event: Mapped[str]
    body: Mapped[bytes] = mapped_column(LargeBinary)
    outcome: Mapped[str] = mapped_column(default="pending")
    reason: Mapped[str | None]
    runs: Mapped[list[Any] | None] = mapped_column(JSONB(none_as_null=True))
    """Ids of the policies' runs that it began or met; null until somebody looked."""


class PolicyRow(Identified, Base):
    """Which versions are audited, how, and what is written back."""

    __tablename__ = "policies"
    __table_args__ = (
        Index("ix_policies_tenant", "tenant_id", "id"),
        Index("ix_policies_recurring", "recurs_at", postgresql_where=text("recurs_at IS NOT NULL")),
    )

    name: Mapped[str]
    connection_id: Mapped[UUID] = mapped_column(ForeignKey("connections.id", ondelete="RESTRICT"), index=True)
    definition: Mapped[Json]
    swept_at: Mapped[datetime] = mapped_column(server_default=func.now())
    """When its registry was last asked for versions that no event told of."""
    recurs_at: Mapped[datetime | None]
    """When it audits again, by its schedule; null without one."""
    matched_since: Mapped[datetime] = mapped_column(server_default=func.now())
    """Since when its ``match`` is what it is: no sweep looks at versions of before."""
    swept_to: Mapped[datetime | None]
    """When the last sweep that heard everything began; null before the first."""
    seen: Mapped[list[Any] | None] = mapped_column(JSONB(none_as_null=True))
    """Aliases and tags that this sweep found, so that the next one knows which are new; null before the first."""


class PolicyRunRow(Due, Identified, Base):
    """One version on its way from the registry to its verdict: at most one a policy. A version that is deleted and made
    anew is another."""

    __tablename__ = "policy_runs"
    __table_args__ = (
        Index("ix_policy_runs_tenant", "tenant_id", "id"),
        Index("ix_policy_runs_due", "next_at", postgresql_where=text("next_at IS NOT NULL")),
        Index(
            "ix_policy_runs_version",
            "policy_id",
            "model_name",
            "version",
            "registered_at",
            unique=True,
            postgresql_nulls_not_distinct=True,
        ),
    )

    policy_id: Mapped[UUID] = mapped_column(ForeignKey("policies.id", ondelete="CASCADE"))
    hook_id: Mapped[UUID | None] = mapped_column(ForeignKey("hooks.id", ondelete="SET NULL"), index=True)
    """Whose event began it; null where the registry was asked."""
    model_name: Mapped[str]
    version: Mapped[str]
    source: Mapped[str | None]
    """Where its files are, where the event said so; null where name and version do."""
    registered_at: Mapped[datetime | None]
    """When the registry had it made, or it was first seen where that does not say; null until it was asked."""
    recipe: Mapped[str | None]
    """What the policy's ``run_group_tag`` says of the version."""
    stage: Mapped[str] = mapped_column(default="importing")
    reason: Mapped[str | None]
    """What it waits for, or what the stage came to."""
    outcome: Mapped[str | None]
    """What its events came to, ``audited`` or ``failed``: a later audit by the schedule does not change it."""
    outcome_reason: Mapped[str | None]
    notes: Mapped[list[Any]] = mapped_column(JSONB, default=list, server_default=text("'[]'"))
    """What was written back so far, and what was not."""
    alias_given: Mapped[str | None]
    """The alias that was given to it: that happens once."""
    model_id: Mapped[UUID | None] = mapped_column(ForeignKey("models.id", ondelete="SET NULL"), index=True)
    audit_id: Mapped[UUID | None] = mapped_column(ForeignKey("audits.id", ondelete="SET NULL"), index=True)
