"""The maps that an audit stored, read back as arrays."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.db.tables import AuditRow, SampleScoresRow

FloatMaps = NDArray[np.float32]
Ordinals = NDArray[np.int64]

FLOAT_BYTES = 4
CHUNK_ROWS = 2_000


MOST_BYTES = 96 * 1024**2
"""Of one model's maps of one condition: 100,000 maps of 14 x 14 cells, or 500 as large as an image."""


@dataclass(frozen=True)
class MapOwner:
    """Whose maps: one model of an audit, and the ordinals of the samples that are looked at, ascending."""

    audit_id: UUID
    model_ordinal: int
    ordinals: Ordinals


def drawn_ordinals(session: Session, audit: AuditRow) -> Ordinals:
    """All samples of an audit, or as many as fit the budget, drawn by the audit's seed."""
    row = SampleScoresRow
    size = func.max(row.map_height * row.map_width * FLOAT_BYTES)
    largest = session.scalar(select(size).where(row.audit_id == audit.id, row.ordinal == 0)) or 1
    every = np.arange(audit.sample_count)
    most = max(1, MOST_BYTES // largest)
    if most >= audit.sample_count:
        return every
    generator = np.random.Generator(np.random.PCG64(int(audit.protocol["seed"])))
    return np.sort(generator.permutation(every)[:most])


def read_maps(session: Session, owner: MapOwner, start: int, count: int) -> FloatMaps | None:
    """Native maps of ``count`` conditions from the ``start``-th on (clean is 0): (N, count, h, w) float32 in [0, 1].

    In sample order; zero all over where a map is undefined. None where the audit stored none. Only these maps leave the
    database.
    """
    row = SampleScoresRow
    cells = row.map_height * row.map_width * FLOAT_BYTES
    query = (
        select(func.substring(row.maps, 1 + start * cells, count * cells), row.map_height, row.map_width)
        .where(row.audit_id == owner.audit_id, row.model_ordinal == owner.model_ordinal, row.maps.is_not(None))
        .where(row.ordinal == func.any(owner.ordinals.tolist()))
        .order_by(row.ordinal)
    )
    maps: FloatMaps | None = None
    filled = 0
    for part in session.execute(query.execution_options(yield_per=CHUNK_ROWS)).partitions():
        decoded = _decoded([cell[0] for cell in part], (count, part[0].map_height, part[0].map_width))
        if maps is None:
            maps = np.empty((len(owner.ordinals), *decoded.shape[1:]), np.float32)
        maps[filled : filled + len(decoded)] = decoded
        filled += len(decoded)
    return None if maps is None else maps[:filled]


def _decoded(rows: Sequence[bytes], shape: tuple[int, int, int]) -> FloatMaps:
    return np.frombuffer(b"".join(rows), "<f4").reshape(len(rows), *shape)
