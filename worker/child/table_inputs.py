"""Images out of tables that lie elsewhere, for a job whose samples are rows of them."""

import threading
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import BinaryIO

import pyarrow as pa

from app.imaging.range_file import range_file
from app.imaging.table_rows import TableRows
from app.sources.addresses import ROWS, object_at, start_of
from worker.wire.contents import Inputs
from worker.wire.job_parts import JobSample, JobTable


def with_tables(inputs: Inputs, digest: str, tables: Sequence[JobTable], samples: Sequence[JobSample]) -> Inputs:
    """The inputs of a job, as they are where no sample is a row of a table."""
    return TableInputs(inputs, digest, tables, samples) if tables else inputs


class TableInputs:
    """As the job's inputs; at the offsets of a table's rows it gives their images."""

    def __init__(self, inputs: Inputs, digest: str, tables: Sequence[JobTable], samples: Sequence[JobSample]) -> None:
        # Its own pool keeps what it was given; the process's limits are for what is in use.
        pa.set_memory_pool(pa.system_memory_pool())
        self._inputs = inputs
        self._digest = digest
        self._sizes = {table.number: table.size for table in tables}
        self._wanted: dict[int, set[int]] = {table.number: set() for table in tables}
        for number, within in (object_at(sample.offset) for sample in samples):
            if within >= ROWS and number in self._wanted:
                self._wanted[number].add(within - ROWS)
        self._tables: dict[int, TableRows] = {}
        self._opening = threading.Lock()

    def read_range(self, digest: str, offset: int, length: int) -> bytes:
        """Raises InputFailure and TransientFailure."""
        number, within = object_at(offset)
        if digest != self._digest or within < ROWS or number not in self._sizes:
            return self._inputs.read_range(digest, offset, length)
        return self._table(number).take(within - ROWS)

    def opened(self, digest: str) -> AbstractContextManager[BinaryIO]:
        return self._inputs.opened(digest)

    def _table(self, number: int) -> TableRows:
        with self._opening:
            if number not in self._tables:
                file = range_file(self._inputs, self._digest, start_of(number), self._sizes[number])
                self._tables[number] = TableRows(file, self._wanted[number])
            return self._tables[number]
