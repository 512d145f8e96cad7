"""Who may come in: tenants and their API keys."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, func
from sqlalchemy.orm import Mapped, mapped_column

from app.db.tables.base import Base


class TenantRow(Base):
    """Everything that a request makes or sees belongs to one."""

    __tablename__ = "tenants"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    max_bytes: Mapped[int | None] = mapped_column(BigInteger)
    """Null: the setting of that name counts, here and below; 0: no limit."""
    max_models: Mapped[int | None]
    max_live_audits: Mapped[int | None]
    max_audit_minutes: Mapped[int | None]


class ApiKeyRow(Base):
    """A key without its secret: whoever reads this table learns no key."""

    __tablename__ = "api_keys"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    tenant_id: Mapped[UUID] = mapped_column(ForeignKey("tenants.id", ondelete="RESTRICT"), index=True)
    prefix: Mapped[str] = mapped_column(unique=True)
    """Finds the row; what follows it in the key is secret."""
    key_hash: Mapped[bytes]
    """HMAC-SHA256 of the whole key under the server's secret."""
    replaces: Mapped[UUID | None] = mapped_column(ForeignKey("api_keys.id", ondelete="SET NULL"))
    """The key that was rotated into this one."""
    name: Mapped[str | None]
    scopes: Mapped[list[str]]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    expires_at: Mapped[datetime | None]
    rotated_at: Mapped[datetime | None]
    """Since then another key is to be used; this one still works until it expires."""
    revoked_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    """To the minute."""
