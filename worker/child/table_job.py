"""Takes a Parquet table of images apart: its rows, one reply each, the image behind it."""

import io
from collections.abc import Iterator
from typing import cast

import pyarrow as pa

from app.imaging.compression import STORED
from app.imaging.entries import entry_of, read_entry
from app.settings import Settings
from worker.archives.image_table import ImageTable
from worker.wire.contents import Inputs
from worker.wire.facts import TableFacts, TableRow
from worker.wire.job_parts import JobSample
from worker.wire.jobs import TableJob
from worker.wire.replies import Reply

WINDOW_BYTES = 1024**2


def run_table_job(job: TableJob, settings: Settings, inputs: Inputs) -> Iterator[tuple[Reply, bytes]]:
    """What the table is, then row by row. Raises InputFailure."""
    # Its own pool keeps what it was given; the process's limits are for what is in use.
    pa.set_memory_pool(pa.system_memory_pool())
    table = ImageTable(_opened(job, settings, inputs))
    yield TableFacts(image=table.image, label=table.label, left_out=table.left_out[:20], rows=table.rows), b""
    for row in table.read():
        yield TableRow(extension=row.extension, fields=row.fields), row.content


def _opened(job: TableJob, settings: Settings, inputs: Inputs) -> io.BufferedIOBase:
    """In place, as Parquet is read; a compressed entry of a ZIP has to be inflated first."""
    if job.table.compression == STORED:
        return io.BufferedReader(_Part(inputs, job.archive_digest, job.table), WINDOW_BYTES)
    return io.BytesIO(read_entry(inputs, job.archive_digest, entry_of(job.table), settings.max_entry_bytes))


class _Part(io.RawIOBase):
    """A stored entry of an archive as a file."""

    def __init__(self, inputs: Inputs, digest: str, entry: JobSample) -> None:
        self._inputs = inputs
        self._digest = digest
        self._start, self._size = entry.offset, entry.stored_size
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        self._position = max(0, base + offset)
        return self._position

    def readinto(self, buffer: object) -> int:
        view = memoryview(cast("bytearray", buffer)).cast("B")
        length = max(0, min(len(view), self._size - self._position))
        data = self._inputs.read_range(self._digest, self._start + self._position, length)
        view[: len(data)] = data
        self._position += len(data)
        return len(data)
