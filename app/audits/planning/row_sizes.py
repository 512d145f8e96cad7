"""How many bytes the scores and maps of one sample take in the database, from the columns' own types.

PostgreSQL 18, chapter "Database Page Layout": a tuple has a header and a line pointer, an array or a byte string a
header of its own, and what makes a row longer than a quarter of a page is moved out in chunks. Compression, which may
shorten maps with large black areas, is not counted on.
"""

from collections.abc import Sequence
from math import ceil
from typing import Any

from sqlalchemy import Double, Integer, SmallInteger, Table, Uuid
from sqlalchemy.orm import InstrumentedAttribute

from app.audits.planning.target_layers import target_layer
from app.db.tables import Base, SampleScoresRow
from app.domain.audits.subjects import pairings_of
from app.domain.maps.sizes import FLOAT_BYTES, MOST_CELLS_OF_AUDIT
from app.domain.protocol import Protocol
from app.results.inputs import AuditedSubject, GivenSubject

Row = SampleScoresRow

TABLE: Table = Base.metadata.tables[Row.__tablename__]

WIDTHS: dict[type[Any], int] = {Double: 8, Integer: 4, SmallInteger: 2, Uuid: 16}
TUPLE_HEADER, ARRAY_HEADER, BYTES_HEADER = 36, 24, 4
INDEX_ENTRY, PAGE_FILL = 12, 0.9
LONGEST_ROW, CHUNK, CHUNK_OVERHEAD = 2032, 1996, 64


def bytes_per_sample(protocol: Protocol, subjects: Sequence[AuditedSubject | GivenSubject], score_classes: int) -> int:
    """Rows of all subjects and the one across them, with their entries in the table's indexes.

    ``score_classes`` is how many classes have their scores kept.
    """
    rows = sum(_subject_row(one.protocol, _cells(one), score_classes) for one in subjects)
    pairings = pairings_of(protocol, [one.subject for one in subjects])
    return rows + (_pairing_row(len(pairings), sum(len(one.pairs) for one in pairings)) if pairings else 0)


def _cells(one: AuditedSubject | GivenSubject) -> int:
    """Of all its maps."""
    if one.model is None:
        return len(one.conditions) * min(one.map_set.largest_cells, MOST_CELLS_OF_AUDIT)
    layer = target_layer(one.model, one.protocol)
    return len(one.conditions) * layer.height * layer.width


def _subject_row(protocol: Protocol, cells: int, score_classes: int) -> int:
    """``cells`` of all its maps."""
    columns, conditions = len(protocol.columns()), 1 + len(protocol.conditions())
    # Of the controls that a measure does not have only a bit is kept.
    controls = sum(column.has_control for column in protocol.columns())
    values = _array(Row.scores, columns) + _array(Row.controls, controls) + ceil(columns / 8)
    values += _array(Row.predicted, conditions) + _array(Row.class_scores, conditions * score_classes)
    return _row(values, cells * FLOAT_BYTES)


def _pairing_row(columns: int, pairs: int) -> int:
    return _row(_array(Row.scores, columns) + _array(Row.pairs, pairs), 0)


def _row(values: int, maps: int) -> int:
    fixed = sum(_width(column.type) for column in TABLE.columns if type(column.type) in WIDTHS)
    stored = TUPLE_HEADER + fixed + values
    if maps:
        together = stored + BYTES_HEADER + maps
        stored = together if together <= LONGEST_ROW else stored + maps + ceil(maps / CHUNK) * CHUNK_OVERHEAD
    return stored + _index_entries()


def _index_entries() -> int:
    keys = [TABLE.primary_key.columns, *(index.columns for index in TABLE.indexes)]
    return sum(ceil((INDEX_ENTRY + sum(_width(column.type) for column in key)) / PAGE_FILL) for key in keys)


def _array(column: InstrumentedAttribute[Any], count: int) -> int:
    return ARRAY_HEADER + count * _width(column.type.item_type)


def _width(kind: Any) -> int:
    return WIDTHS[type(kind)]
