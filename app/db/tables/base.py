"""What all rows share."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import DateTime, Integer, Text, Uuid, func
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from app.domain.vocabulary import (
    AuditStatus,
    ComparisonStatus,
    ComparisonUnit,
    DeviceClass,
    ResourceStatus,
    SampleStatus,
    ShardStatus,
)

Json = dict[str, Any]


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
        ComparisonStatus: Text,
        ComparisonUnit: Text,
    }


class Identified:
    """UUIDv7 keys sort by creation, so that they page lists as well."""

    id: Mapped[UUID] = mapped_column(primary_key=True)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=func.now())
