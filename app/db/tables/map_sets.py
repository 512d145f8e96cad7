"""Maps that nobody here made: drawn by people, recorded from their eyes, or computed by another tool."""

from uuid import UUID

from sqlalchemy import BigInteger, Double, ForeignKey, Index, SmallInteger, false, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from app.db.tables.base import Base, Json, OfTenant
from app.db.tables.resources import Uploaded
from app.domain.vocabulary import CLEAN, MapSetKind, SampleStatus


class MapSetRow(Uploaded, Base):
    """Maps of a data set's samples; its stored blob holds them as numbers, one ZIP entry a map."""

    __tablename__ = "map_sets"

    dataset_id: Mapped[UUID] = mapped_column(ForeignKey("datasets.id", ondelete="CASCADE"))
    kind: Mapped[MapSetKind]
    sigma: Mapped[float | None] = mapped_column(Double)
    """Of the Gaussian that a fixation becomes, in pixels of the image."""
    input_size: Mapped[list[int] | None]
    """Height and width of the images that audits hand out and these maps are of; null: they are of the samples' own."""
    made: Mapped[str | None]
    """How those images were made (`app.domain.audits.changed_images`), once maps are there."""
    digest: Mapped[str | None]
    """Over the samples, views and numbers of its maps, in order."""
    map_count: Mapped[int] = mapped_column(default=0, server_default="0")
    unreadable_count: Mapped[int] = mapped_column(default=0, server_default="0")
    stored_size: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    """Bytes of the stored blob, which count in the tenant's quota beside the upload."""
    largest_cells: Mapped[int] = mapped_column(default=0, server_default="0")
    """Of one map as it is kept."""
    has_fixations: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Whether maps were made of some."""
    views: Mapped[list[str]] = mapped_column(default=list, server_default=text("'{}'"))
    """Of whose images there are maps."""
    notes: Mapped[list[str]] = mapped_column(default=list, server_default=text("'{}'"))

    @declared_attr.directive
    @classmethod
    def __table_args__(cls) -> tuple[Index, ...]:
        return (Index("ix_map_sets_tenant", "tenant_id", "id"), Index("ix_map_sets_dataset_id", "dataset_id"))


class MapRow(OfTenant, Base):
    """One map of a set, of a sample's image under a view; or what came and is none, with the reason."""

    __tablename__ = "maps"
    __table_args__ = (
        Index("ix_maps_map_set", "map_set_id", "id"),
        Index("ix_maps_sample", "sample_id", "map_set_id", "view"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    map_set_id: Mapped[UUID] = mapped_column(ForeignKey("map_sets.id", ondelete="CASCADE"))
    sample_id: Mapped[UUID | None] = mapped_column(ForeignKey("samples.id", ondelete="CASCADE"))
    """None where what came is of no sample of the data set."""
    view: Mapped[str] = mapped_column(default=CLEAN, server_default=CLEAN)
    name: Mapped[str]
    """In the upload: of a file, or of an image that a file speaks of."""
    status: Mapped[SampleStatus]
    problem: Mapped[Json | None]
    height: Mapped[int | None]
    width: Mapped[int | None]
    fixations: Mapped[list[float] | None] = mapped_column(ARRAY(Double))
    """x, y, x, y, ... as shares of the image's width and height; null of a map that was not made of fixations."""
    offset: Mapped[int | None] = mapped_column(BigInteger)
    """Of the entry's bytes within the stored blob: float32, row by row."""
    stored_size: Mapped[int | None] = mapped_column(BigInteger)
    size: Mapped[int | None] = mapped_column(BigInteger)
    compression: Mapped[int | None] = mapped_column(SmallInteger)
    crc32: Mapped[int | None] = mapped_column(BigInteger)


class AuditMapSetRow(Base):
    """A map set of an audit."""

    __tablename__ = "audit_map_sets"

    audit_id: Mapped[UUID] = mapped_column(ForeignKey("audits.id", ondelete="CASCADE"), primary_key=True)
    ordinal: Mapped[int] = mapped_column(primary_key=True)
    map_set_id: Mapped[UUID] = mapped_column(ForeignKey("map_sets.id", ondelete="RESTRICT"), index=True)
