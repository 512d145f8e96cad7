"""The maps that an audit stored, read back as arrays."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import reduce
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, LargeBinary, func, literal, select
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.orm import Session

from app.db.tables import AuditRow, SampleScoresRow, map_cells
from app.domain.maps.sizes import FLOAT_BYTES
from app.domain.vocabulary import UndefinedReason
from worker.given.lists import NOTHING, MapList

FloatMaps = NDArray[np.float32]
Ordinals = NDArray[np.int64]

CLEAN_PLACE = 0
"""Of the clean map among a row's."""
BLOCK_ROWS = 2_000

MOST_BYTES = 96 * 1024**2
"""Of maps that are in memory at once: 100,000 of 14 x 14 cells, or 500 as large as an image."""


@dataclass(frozen=True)
class MapOwner:
    """Whose maps: one model of an audit, and the ordinals of the samples that are looked at, ascending."""

    audit_id: UUID
    model_ordinal: int
    ordinals: Ordinals


def fitting(cells: int, maps: int = 1) -> int:
    """Of how many samples the budget has room for so many maps each of so many cells; at least one."""
    return max(1, MOST_BYTES // (max(1, cells) * FLOAT_BYTES * max(1, maps)))


def drawn_ordinals(session: Session, audit: AuditRow, subjects: int) -> Ordinals:
    """All samples of an audit, or as many as fit the budget with maps of one of the first ``subjects``, drawn by the
    audit's seed."""
    row, every = SampleScoresRow, np.arange(audit.sample_count)
    of_first = select(func.max(map_cells())).where(row.audit_id == audit.id, row.ordinal == 0)
    most = fitting(session.scalar(of_first.where(row.model_ordinal < subjects)) or 1)
    if most >= audit.sample_count:
        return every
    generator = np.random.Generator(np.random.PCG64(int(audit.protocol["seed"])))
    return np.sort(generator.permutation(every)[:most])


def read_maps(session: Session, owner: MapOwner, start: int, count: int) -> FloatMaps | None:
    """Native maps of ``count`` conditions from the ``start``-th on (clean is 0): (N, count, h, w) float32 in [0, 1].

    In sample order; zero all over where a map is undefined. None where the audit stored none. Only these maps leave the
    database, many samples' in one row: a row a sample takes longer to hand over than to read.
    """
    row = SampleScoresRow
    cells = map_cells() * FLOAT_BYTES
    own = func.substring(row.maps, 1 + start * cells, count * cells)
    block = row.ordinal // BLOCK_ROWS
    query = (
        select(
            func.string_agg(own, aggregate_order_by(literal(b"", LargeBinary), row.ordinal)),
            func.min(row.map_height),
            func.min(row.map_width),
        )
        .where(row.audit_id == owner.audit_id, row.model_ordinal == owner.model_ordinal, row.maps.is_not(None))
        .where(among(owner.ordinals))
        .group_by(block)
        .order_by(block)
    )
    maps: FloatMaps | None = None
    filled = 0
    for data, height, width in session.execute(query.execution_options(yield_per=1)):
        decoded = np.frombuffer(data, "<f4").reshape(-1, count, height, width)
        if maps is None:
            maps = np.empty((len(owner.ordinals), *decoded.shape[1:]), np.float32)
        maps[filled : filled + len(decoded)] = decoded
        filled += len(decoded)
    return None if maps is None else maps[:filled]


def read_lists(session: Session, owner: MapOwner, places: Sequence[int]) -> list[MapList]:
    """Native maps of the conditions at these places (clean is 0), a list each; of any size, and none where none is.

    Only these leave the database, many samples' of one size in one row.
    """
    row = SampleScoresRow
    block = row.ordinal // BLOCK_ROWS
    query = (
        select(
            func.string_agg(_cells_of(places), aggregate_order_by(literal(b"", LargeBinary), row.ordinal)),
            func.array_agg(aggregate_order_by(row.ordinal, row.ordinal)),
            row.map_height,
            row.map_width,
        )
        .where(row.audit_id == owner.audit_id, row.model_ordinal == owner.model_ordinal, row.maps.is_not(None))
        .where(among(owner.ordinals))
        .group_by(block, row.map_height, row.map_width)
    )
    found, stored_order = [_NoMaps(len(owner.ordinals)) for _ in places], sorted(set(places))
    for data, ordinals, height, width in session.execute(query.execution_options(yield_per=1)):
        stored = np.frombuffer(data, "<f4").reshape(len(ordinals), len(stored_order), height, width)
        samples = np.searchsorted(owner.ordinals, ordinals).tolist()
        for one, place in zip(found, places, strict=True):
            one.take(samples, stored[:, stored_order.index(place)])
    return [one.finished() for one in found]


def _cells_of(places: Collection[int]) -> ColumnElement[bytes]:
    """The maps of the conditions at these places, in stored order: what lies side by side is read at once."""
    cells, ascending = map_cells() * FLOAT_BYTES, sorted(set(places))
    starts = [place for place in ascending if place - 1 not in places]
    stops = [place + 1 for place in ascending if place + 1 not in places]
    parts = [
        func.substring(SampleScoresRow.maps, 1 + start * cells, (stop - start) * cells, type_=LargeBinary)
        for start, stop in zip(starts, stops, strict=True)
    ]
    return reduce(lambda one, other: one.concat(other), parts)


class _NoMaps:
    """A list of maps to be, one a sample."""

    def __init__(self, count: int) -> None:
        self._maps: list[FloatMaps] = [NOTHING] * count
        self._reasons: list[UndefinedReason | None] = [UndefinedReason.NO_MAP] * count

    def take(self, samples: Sequence[int], maps: FloatMaps) -> None:
        """``maps`` (M, h, w) of those samples; one that is zero all over is undefined."""
        something = np.asarray(maps.any((1, 2))).tolist()
        for sample, values, shows in zip(samples, maps, something, strict=True):
            self._maps[sample] = values
            self._reasons[sample] = None if shows else UndefinedReason.CONSTANT_MAP

    def finished(self) -> MapList:
        return MapList(self._maps, tuple(self._reasons), [None] * len(self._maps))


def largest_map(session: Session, owner: MapOwner) -> int:
    """Cells of the largest of a subject's maps; 0 where it has none."""
    row = SampleScoresRow
    query = select(func.max(map_cells())).where(among(owner.ordinals))
    return session.scalar(query.where(row.audit_id == owner.audit_id, row.model_ordinal == owner.model_ordinal)) or 0


def size_of_maps(session: Session, audit_id: UUID, model_ordinal: int) -> tuple[int, int] | None:
    """Height and width of a model's maps: all have those of the first sample's. None where it has none."""
    row = SampleScoresRow
    query = select(row.map_height, row.map_width).where(row.audit_id == audit_id, row.maps.is_not(None))
    found = session.execute(query.where(row.model_ordinal == model_ordinal, row.ordinal == 0)).one_or_none()
    return None if found is None else (found.map_height, found.map_width)


def among(ordinals: Ordinals) -> ColumnElement[bool]:
    """Those that follow each other are named by their ends."""
    if ordinals.size and ordinals[-1] - ordinals[0] + 1 == ordinals.size:
        return SampleScoresRow.ordinal.between(int(ordinals[0]), int(ordinals[-1]))
    return SampleScoresRow.ordinal == func.any(ordinals.tolist())
