"""What audits measured, sample by sample, and which clean maps others may take over."""

from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Double,
    ForeignKey,
    Integer,
    LargeBinary,
    SmallInteger,
    Text,
    cast,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from app.db.tables.base import Base, OfTenant


class SampleScoresRow(OfTenant, Base):
    """What one subject gave for one sample of an audit; arrays follow the protocol's columns and conditions.

    ``model_ordinal`` is the subject's; -1 is the row across subjects: the pairings, its only scores, and the pairs
    behind them.
    """

    __tablename__ = "sample_scores"

    audit_id: Mapped[UUID] = mapped_column(ForeignKey("audits.id", ondelete="CASCADE"), primary_key=True)
    model_ordinal: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    ordinal: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    sample_id: Mapped[UUID] = mapped_column(ForeignKey("samples.id", ondelete="CASCADE"), index=True)
    scores: Mapped[list[float | None]] = mapped_column(ARRAY(Double))
    controls: Mapped[list[float | None] | None] = mapped_column(ARRAY(Double))
    undefined: Mapped[list[str | None] | None] = mapped_column(ARRAY(Text))
    predicted: Mapped[list[int] | None]
    """Per condition, clean first."""
    class_scores: Mapped[list[float | None] | None] = mapped_column(ARRAY(Double))
    """Per condition (clean first) the scores of the classes that occur as labels, flattened."""
    pairs: Mapped[list[float | None] | None] = mapped_column(ARRAY(Double))
    """SSIM of the pairs of models i < j."""
    maps: Mapped[bytes | None] = mapped_column(LargeBinary)
    """float32 native maps per condition, clean first, row by row."""
    map_height: Mapped[int | None] = mapped_column(SmallInteger)
    map_width: Mapped[int | None] = mapped_column(SmallInteger)


def map_cells() -> ColumnElement[int]:
    """Of each of a row's maps. A product of two smallints would be one as well, and 224 x 224 is none."""
    return cast(SampleScoresRow.map_height, Integer) * SampleScoresRow.map_width


class CleanSourceRow(Base):
    """Says that a finished shard holds clean maps which other audits may take over.

    ``key`` is the digest of all that decides about a clean map's bits: model, data set, salience settings, processor.
    """

    __tablename__ = "clean_sources"

    key: Mapped[str] = mapped_column(primary_key=True)
    audit_id: Mapped[UUID] = mapped_column(ForeignKey("audits.id", ondelete="CASCADE"), primary_key=True, index=True)
    model_ordinal: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    start: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    """Ordinals of the shard's samples: [start, stop)."""
    stop: Mapped[int]
