"""Registries as tenants reach them, and what is fetched or listed there."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.db.tables.base import AwaitsSource, Base, Due, Identified, Json, OfTenant


class ConnectionRow(Identified, Base):
    """A registry's address, and what it wants to be shown."""

    __tablename__ = "connections"

    name: Mapped[str]
    kind: Mapped[str]
    url: Mapped[str]
    auth_kind: Mapped[str]
    secret: Mapped[bytes | None] = mapped_column(LargeBinary)
    """Sealed JSON; null where nothing is shown."""


class Import(Due, OfTenant):
    """Where content comes from, and who is fetching it."""

    connection_id: Mapped[UUID | None] = mapped_column(ForeignKey("connections.id", ondelete="RESTRICT"), index=True)
    """Null of a folder of the operator's."""
    uri: Mapped[str]
    turns: Mapped[int] = mapped_column(default=0, server_default="0")
    """Of its ``attempts``, those that only let others go first."""


class DatasetImportRow(AwaitsSource, Import, Base):
    """A data set that is not uploaded."""

    __tablename__ = "dataset_imports"
    __table_args__ = (Index("ix_dataset_imports_due", "next_at", postgresql_where=text("next_at IS NOT NULL")),)

    dataset_id: Mapped[UUID] = mapped_column(ForeignKey("datasets.id", ondelete="CASCADE"), primary_key=True)
    by_reference: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    """Its files are listed, and read where they lie."""
    cursor: Mapped[str | None]
    """Where the listing goes on behind what is listed; null: at its beginning."""
    listed: Mapped[int] = mapped_column(default=0, server_default="0")
    listed_bytes: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    """That its rows take, as a tenant's quota counts them."""
    opened: Mapped[int] = mapped_column(default=0, server_default="0")
    """The first object that nobody has looked into yet, for what lies within it or for a text that says labels."""
    openings: Mapped[int] = mapped_column(default=0, server_default="0")
    """How often a worker set out to look into them: who did so last writes down what it finds."""
    opening_until: Mapped[datetime | None]
    """When that worker's lease runs out; null while nobody is at it."""
    within: Mapped[Json | None] = mapped_column(JSONB(none_as_null=True))
    """What was found within tars or tables (``worker.intake.opening``); null of a folder of images."""


class DatasetObjectRow(OfTenant, Base):
    """A file of a data set by reference, as it was listed, or one that lies within such a file. What samples call
    ``offset`` begins at its number, or at that of the file in which it lies (``app.sources.addresses``)."""

    __tablename__ = "dataset_objects"

    dataset_id: Mapped[UUID] = mapped_column(ForeignKey("datasets.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    key: Mapped[str]
    """Its path below the folder."""
    pin: Mapped[str]
    """What tells it from every other object that ever had the name (``app.registries.listed``)."""
    size: Mapped[int] = mapped_column(BigInteger)
    container: Mapped[int | None]
    """The number of the object in which it lies; null of one of its own."""
    begin: Mapped[int | None] = mapped_column(BigInteger)
    """Where it begins there; of a table, which of its rows it is."""
    crc32: Mapped[int | None] = mapped_column(BigInteger)
    """Of a table's image, which no range of the table has."""
    content: Mapped[bytes | None] = mapped_column(LargeBinary)
    """Of a text that may say labels, until the data set is indexed."""


class ModelImportRow(Import, Base):
    """A model that comes from a registry: also what the request and the registry say of it."""

    __tablename__ = "model_imports"
    __table_args__ = (Index("ix_model_imports_due", "next_at", postgresql_where=text("next_at IS NOT NULL")),)

    model_id: Mapped[UUID] = mapped_column(ForeignKey("models.id", ondelete="CASCADE"), primary_key=True)
    said: Mapped[Json]
    """The description's fields that requests gave."""
    found: Mapped[list[Any]] = mapped_column(JSONB, server_default=text("'[]'"))
    """Pairs of origin and fields, the one that counts most first."""
