"""The bytes of a shard's samples from where they were listed, fetched ahead of the child, which has no way there."""

import hashlib
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from queue import Empty, SimpleQueue
from types import MappingProxyType, TracebackType
from typing import BinaryIO, NamedTuple, Self

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db.tables import DatasetObjectRow, SampleRow
from app.domain.vocabulary import SampleStatus
from app.errors import InputFailure
from app.registries.listed import Listed
from app.settings import MEBIBYTE, Settings
from app.sources.addresses import ROWS, listed_dataset, object_at
from app.sources.reach import OpenSource, Reach
from app.sources.reading import read_listed
from app.storage.blobs import BlobStore

FETCHING = 8
"""Objects at once: a store answers each after tens of milliseconds, whatever its size."""
AHEAD_BYTES = 64 * MEBIBYTE
"""Of objects that nobody has asked for yet; of one that is larger, alone."""


def contents_of(
    session: Session, blobs: BlobStore, settings: Settings, digest: str, samples: Sequence[SampleRow]
) -> AbstractContextManager["ListedSamples | BlobStore"]:
    """Where the samples' bytes come from: the archive of that digest, or where it lists them."""
    if listed_dataset(digest) is None:
        return nullcontext(blobs)
    return ListedSamples.of(session, blobs, settings, samples)


class Wanted(NamedTuple):
    listed: Listed
    within: int
    """Its first byte in the object."""
    size: int
    sha256: bytes | None
    """As it was when it was first read."""


class ListedSamples:
    """In the place of the store for one shard: of the listing it gives the shard's own samples, each as a whole; and
    any range of the tables of which samples are rows.

    ``digests`` are what it read of samples, by offset. One thread may ask.
    """

    is_local = False

    def __init__(
        self,
        blobs: BlobStore,
        settings: Settings,
        reach: Reach,
        wanted: dict[int, Wanted],
        tables: Mapping[int, Listed] = MappingProxyType({}),
    ) -> None:
        """``wanted`` by offset, in the order in which they will be asked for; ``tables`` by their numbers."""
        self._blobs = blobs
        self._tables = tables
        self._settings = settings
        self._reach = reach
        self._wanted = list(wanted.values())
        self._offsets = list(wanted)
        self._numbers = {offset: number for number, offset in enumerate(self._offsets)}
        self._pool = ThreadPoolExecutor(FETCHING, thread_name_prefix="listed")
        self._sources: SimpleQueue[OpenSource] = SimpleQueue()
        self._closed = False
        self._begun: dict[int, Future[bytes]] = {}
        self._next = 0
        self._ahead = 0
        self.digests: dict[int, bytes] = {}

    @classmethod
    def of(cls, session: Session, blobs: BlobStore, settings: Settings, samples: Sequence[SampleRow]) -> Self:
        """Raises InputFailure where the listing is gone."""
        dataset_id, row = samples[0].dataset_id, DatasetObjectRow
        numbers = {object_at(sample.offset)[0] for sample in samples}
        query = select(row).where(row.dataset_id == dataset_id, row.number.in_(numbers))
        listed = {one.number: Listed(one.key, one.pin, one.size) for one in session.scalars(query)}
        if numbers - listed.keys():
            raise InputFailure("artifact-corrupted", "Nothing says any more where the samples lie.")
        wanted = {
            sample.offset: Wanted(listed[number], within, sample.stored_size, sample.content_sha256)
            for sample in samples
            if sample.status != SampleStatus.UNREADABLE  # nobody asks for it
            for number, within in (object_at(sample.offset),)
        }
        rows = {number for number, within in map(object_at, wanted) if within >= ROWS}
        tables = {number: listed[number] for number in rows}
        own = {offset: one for offset, one in wanted.items() if one.within < ROWS}
        return cls(blobs, settings, Reach.of(session, dataset_id), own, tables)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Waits for nobody: what is still being fetched is dropped when it is there."""
        self._closed = True
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._close_idle()

    def size(self, digest: str) -> int:
        """Of a listing nothing that anybody could use."""
        return 0 if listed_dataset(digest) else self._blobs.size(digest)

    def opened(self, digest: str) -> AbstractContextManager[BinaryIO]:
        return self._blobs.opened(digest)

    def read_range(self, digest: str, offset: int, length: int) -> bytes:
        """Raises InputFailure and TransientFailure, which name the object."""
        if listed_dataset(digest) is None:
            return self._blobs.read_range(digest, offset, length)
        of_object, within = object_at(offset)
        if of_object in self._tables and within < ROWS:
            return self._part_of(self._tables[of_object], within, length)
        number = self._numbers.get(offset)
        if number is None or length != self._wanted[number].size:
            raise InputFailure("artifact-corrupted", "Something else than the shard's samples was asked for.")
        self._begin_up_to(number)
        begun = self._begun.pop(number, None)
        if begun is None:
            return self._fetched(number)
        data = begun.result()
        self._ahead -= length
        self._begin_up_to(number)
        return data

    def _begin_up_to(self, number: int) -> None:
        """That one, and as many of the next as may be ahead."""
        while self._next < len(self._wanted):
            size = self._wanted[self._next].size
            if self._next > number and self._begun and self._ahead + size > AHEAD_BYTES:
                return
            self._begun[self._next] = self._pool.submit(self._fetched, self._next)
            self._next, self._ahead = self._next + 1, self._ahead + size

    def _part_of(self, listed: Listed, within: int, length: int) -> bytes:
        """Up to the object's end."""
        length = min(length, listed.size - within)
        if length <= 0:
            return b""
        source = self._source()
        try:
            return read_listed(source.place, listed, within, length)
        finally:
            self._sources.put(source)
            if self._closed:
                self._close_idle()

    def _fetched(self, number: int) -> bytes:
        listed, within, size, known = self._wanted[number]
        data = self._part_of(listed, within, size)
        digest = self.digests[self._offsets[number]] = hashlib.sha256(data).digest()
        if known is not None and digest != known:
            raise InputFailure("artifact-corrupted", f"The object {listed.key[-200:]!a} has other bytes than before.")
        return data

    def _source(self) -> OpenSource:
        """Each is for one thread at a time."""
        try:
            return self._sources.get_nowait()
        except Empty:
            return OpenSource(self._reach, self._settings)

    def _close_idle(self) -> None:
        try:
            while True:
                self._sources.get_nowait().close()
        except Empty:
            return
