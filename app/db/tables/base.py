"""What all rows share."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import DateTime, ForeignKey, Index, Integer, Text, Uuid, func, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, declared_attr, mapped_column

from app.domain.audits.changed_images import Needs
from app.domain.maps.similarities import Similarity
from app.domain.vocabulary import (
    AuditStatus,
    ComparisonUnit,
    DeviceClass,
    MapSetKind,
    OwedStatus,
    ResourceStatus,
    SampleStatus,
    ShardStatus,
)

Json = dict[str, Any]

DEFAULT_TENANT = UUID("00000000-0000-7000-8000-000000000001")
"""Has the rows from before there were tenants, and those that no request wrote."""
TENANT_OF_TRANSACTION = text(
    f"COALESCE(NULLIF(current_setting('app.tenant', true), '')::uuid, '{DEFAULT_TENANT}'::uuid)"
)


class Base(DeclarativeBase):
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        str: Text,
        datetime: DateTime(timezone=True),
        Json: JSONB,
        list[str]: ARRAY(Text),
        list[int]: ARRAY(Integer),
        UUID: Uuid,
        ResourceStatus: Text,
        SampleStatus: Text,
        AuditStatus: Text,
        ShardStatus: Text,
        DeviceClass: Text,
        OwedStatus: Text,
        ComparisonUnit: Text,
        Similarity: Text,
        Needs: Text,
        MapSetKind: Text,
    }


class TenantOwned:
    """A row of one tenant: of the one in whose transaction it was written. What hangs on such a row is its too."""

    tenant_id: Mapped[UUID] = mapped_column(
        ForeignKey("tenants.id", ondelete="RESTRICT"), server_default=TENANT_OF_TRANSACTION
    )


class OfTenant:
    """A row that hangs on a tenant's row, of which there are so many that each says itself whose it is."""

    tenant_id: Mapped[UUID] = mapped_column(server_default=TENANT_OF_TRANSACTION)


class AwaitsSource:
    """Work that reads what lies elsewhere."""

    source_away_since: Mapped[datetime | None]
    """When it first found its source away; null of work that never did."""
    source_tries: Mapped[int] = mapped_column(default=0, server_default="0")
    """That found it so."""


class Due:
    """Work that is claimed under a lease when its time has come (``app.db.leases``)."""

    attempts: Mapped[int] = mapped_column(default=0, server_default="0")
    unexplained: Mapped[int] = mapped_column(default=0, server_default="0")
    """Claims in a row of which nobody told why they ended, the present one included."""
    next_at: Mapped[datetime | None] = mapped_column(server_default=func.now())
    """When it is due, or its lease runs out; null once it has ended, whichever way."""


class Worded:
    """What people say of a resource, and find it by."""

    about: Mapped[str | None]
    tags: Mapped[list[str]] = mapped_column(default=list, server_default="{}")
    extra: Mapped[Json] = mapped_column(default=dict, server_default="{}")


class Versioned(Worded):
    """Of several with the same name each is a version; an alias names one of them."""

    version: Mapped[str | None]
    """The number that follows the highest so far, unless somebody gave another."""
    aliases: Mapped[list[str]] = mapped_column(default=list, server_default="{}")


class Identified(TenantOwned):
    """A tenant's resource. UUIDv7 keys sort by creation, so that they page its lists as well."""

    __tablename__: str

    @declared_attr.directive
    @classmethod
    def __table_args__(cls) -> tuple[Index, ...]:
        return (Index(f"ix_{cls.__tablename__}_tenant", "tenant_id", "id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=func.now())
