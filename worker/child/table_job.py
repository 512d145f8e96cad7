"""Takes a Parquet table of images apart: its rows, one reply each, the image behind it."""

import io
from collections.abc import Iterator

import pyarrow as pa

from app.imaging.compression import STORED
from app.imaging.entries import entry_of, read_entry
from app.imaging.image_table import ImageTable
from app.imaging.range_file import range_file
from app.settings import Settings
from worker.wire.contents import Inputs
from worker.wire.facts import TableFacts, TableRow
from worker.wire.jobs import TableJob
from worker.wire.replies import Reply


def run_table_job(job: TableJob, settings: Settings, inputs: Inputs) -> Iterator[tuple[Reply, bytes]]:
    """What the table is, then row by row. Raises InputFailure."""
    # Its own pool keeps what it was given; the process's limits are for what is in use.
    pa.set_memory_pool(pa.system_memory_pool())
    table = ImageTable(_opened(job, settings, inputs))
    facts = {"image": table.image, "label": table.label, "left_out": table.left_out[:20], "rows": table.rows}
    yield TableFacts(**facts, group_bytes=table.group_bytes), b""
    for row in table.read():
        yield TableRow(extension=row.extension, fields=row.fields), row.content


def _opened(job: TableJob, settings: Settings, inputs: Inputs) -> io.BufferedIOBase:
    """In place, as Parquet is read; a compressed entry of a ZIP has to be inflated first."""
    if job.table.compression == STORED:
        return range_file(inputs, job.archive_digest, job.table.offset, job.table.stored_size)
    return io.BytesIO(read_entry(inputs, job.archive_digest, entry_of(job.table), settings.max_entry_bytes))
