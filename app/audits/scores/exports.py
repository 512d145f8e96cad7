"""All scores of an audit as CSV, NDJSON or Parquet, streamed in constant memory."""

import csv
import io
import json
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any
from uuid import UUID

import pyarrow as pa
import pyarrow.parquet as pq

from app.audits.schemas import SampleScore

COLUMNS = (
    "sample",
    "label",
    "source",
    "model",
    "model_id",
    "measure",
    "view",
    "score",
    "undefined_reason",
    "predicted_label",
    "sample_id",
    "control",
    "subject",
)
BATCH = 5000
SCHEMA = pa.schema([(name, pa.float64() if name in {"score", "control"} else pa.string()) for name in COLUMNS])


def as_csv(scores: Iterator[SampleScore]) -> Iterator[bytes]:
    """With a header; a score is empty where undefined; floats round-trip."""
    yield (",".join(COLUMNS) + "\r\n").encode()
    for batch in _batches(scores):
        text = io.StringIO()
        csv.writer(text).writerows(row.values() for row in batch)
        yield text.getvalue().encode()


def as_ndjson(scores: Iterator[SampleScore]) -> Iterator[bytes]:
    """One JSON object a line."""
    for batch in _batches(scores):
        yield "".join(json.dumps(row) + "\n" for row in batch).encode()


def as_parquet(scores: Iterator[SampleScore]) -> Iterator[bytes]:
    """Row groups of 5,000."""
    sink = _Sink()
    with pq.ParquetWriter(sink, SCHEMA) as writer:
        for batch in _batches(scores):
            writer.write_table(pa.Table.from_pylist(batch, SCHEMA))
            yield sink.drain()
    yield sink.drain()


EXPORTS: dict[str, Callable[[Iterator[SampleScore]], Iterator[bytes]]] = {
    "text/csv": as_csv,
    "application/x-ndjson": as_ndjson,
    "application/vnd.apache.parquet": as_parquet,
}


def _batches(scores: Iterator[SampleScore]) -> Iterator[list[dict[str, Any]]]:
    while batch := [_row(score) for score in islice(scores, BATCH)]:
        yield batch


def _row(score: SampleScore) -> dict[str, Any]:
    """Ids as text, in the columns' order."""
    values = ((name, getattr(score, name)) for name in COLUMNS)
    return {name: str(value) if isinstance(value, UUID) else value for name, value in values}


class _Sink(io.RawIOBase):
    """What was written since it was last drained."""

    def __init__(self) -> None:
        super().__init__()
        self._parts: list[bytes] = []
        self._position = 0

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def write(self, data: Any) -> int:
        part = bytes(data)
        self._parts.append(part)
        self._position += len(part)
        return len(part)

    def drain(self) -> bytes:
        parts, self._parts = self._parts, []
        return b"".join(parts)
