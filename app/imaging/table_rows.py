"""Images out of a Parquet table by their rows: its row groups are read from their beginnings, each once where rows are
asked for in their order.
"""

import threading
from bisect import bisect_right
from collections.abc import Iterator
from typing import Any

from app.errors import InputFailure
from app.imaging.image_table import ImageTable
from app.settings import MEBIBYTE

MOST_GROUP_BYTES = 256 * MEBIBYTE
"""Whoever wants one row reads as much of its group as lies before it."""


class TableRows:
    """Those of one table. Threads may ask in almost the rows' order: what one passes over is kept for the others."""

    def __init__(self, file: Any, wanted: set[int]) -> None:
        """``wanted`` are the rows that will be asked for, each once. Raises InputFailure ``archive-malformed``."""
        self._table = ImageTable(file)
        self._wanted = wanted
        self._lock = threading.Lock()
        self._group = -1
        self._next = 0
        self._images: Iterator[list[bytes]] = iter(())
        self._held: dict[int, bytes] = {}

    def take(self, row: int) -> bytes:
        """Raises InputFailure ``archive-malformed`` where there is none, and ``archive-expansion-limit``."""
        with self._lock:
            if row not in self._held:
                self._read_to(row)
            self._wanted.discard(row)
            return self._held.pop(row)

    def _read_to(self, row: int) -> None:
        starts = self._table.group_starts
        group = bisect_right(starts, row) - 1
        if not 0 <= row < self._table.rows:
            raise InputFailure("archive-malformed", "The Parquet table has no such row.")
        if self._table.group_bytes > MOST_GROUP_BYTES:
            raise InputFailure("archive-expansion-limit", f"A row group has more than {MOST_GROUP_BYTES} bytes.")
        if group != self._group or row < self._next:
            self._group, self._next, self._images = group, starts[group], self._table.images(group)
        while self._next <= row:
            images = next(self._images, None)
            if images is None:
                raise InputFailure("archive-malformed", "A row group has fewer rows than it says.")
            found = enumerate(images, self._next)
            self._held |= {number: image for number, image in found if number == row or number in self._wanted}
            self._next += len(images)
