"""Opens for a child what it is to read: it has no way to a store of its own."""

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import BinaryIO, Protocol

from app.errors import AuditFailure, InputFailure, SalienceError, TransientFailure
from worker.supervision.reading_clock import ReadingClock
from worker.wire.contents import sha256_of
from worker.wire.jobs import AnyJob
from worker.wire.ranges import serve_ranges

_END_SECONDS = 5.0
# By digest: how the file looked when it was found intact. Whoever changes it changes that.
_intact: dict[str, tuple[int, ...]] = {}


class Store(Protocol):
    """The blob store, or what stands in its place for a job whose archive is none."""

    @property
    def is_local(self) -> bool: ...

    def size(self, digest: str) -> int: ...

    def opened(self, digest: str) -> AbstractContextManager[BinaryIO]: ...

    def read_range(self, digest: str, offset: int, length: int) -> bytes: ...


@contextmanager
def opened_inputs(blobs: Store, job: AnyJob, reading: ReadingClock) -> Iterator[tuple[int, ...]]:
    """Descriptors for as long as the block runs, in the order of the job's inputs.

    Of a remote store, archives are read in parts as the child asks for them, while ``reading`` runs; anything else is
    copied. Raises InputFailure ``artifact-corrupted`` where one is gone, or an archive that nothing else checks has
    changed.
    """
    with ExitStack() as stack:
        descriptors = []
        for digest in job.inputs:
            in_parts = digest in job.in_parts and not blobs.is_local
            try:
                if in_parts:
                    descriptors.append(stack.enter_context(_served(blobs, digest, reading)).fileno())
                    continue
                file = stack.enter_context(blobs.opened(digest))
                if digest == job.unchecked:
                    _check_intact(file, digest)
                descriptors.append(file.fileno())
            except FileNotFoundError as error:
                raise InputFailure("artifact-corrupted", f"The stored content {digest} is gone.") from error
        yield tuple(descriptors)


@contextmanager
def _served(blobs: Store, digest: str, reading: ReadingClock) -> Iterator[socket.socket]:
    """The child's end of a line to the store; a thread reads for it until both ends are closed."""
    blobs.size(digest)
    ours, theirs = socket.socketpair()
    failures: list[AuditFailure] = []

    def read(offset: int, length: int) -> bytes | None:
        try:
            with reading.running():
                return blobs.read_range(digest, offset, length)
        except (SalienceError, FileNotFoundError) as error:
            failures.extend([error] if isinstance(error, AuditFailure) else [])
            return None

    thread = threading.Thread(target=serve_ranges, args=(ours, read), name="ranges", daemon=True)
    thread.start()
    try:
        with theirs:
            yield theirs
    except TransientFailure:
        if failures:  # the child knows no more than that it got nothing
            raise failures[0] from None
        raise
    finally:
        ours.shutdown(socket.SHUT_RDWR)
        # Whoever still waits for a slow source finds nobody to answer, and ends.
        thread.join(_END_SECONDS)
        ours.close()


def _check_intact(file: BinaryIO, digest: str) -> None:
    """Reads an archive whose entries carry no checksum (tar) whole, once as long as nobody touches it.

    Raises InputFailure ``artifact-corrupted`` where the file is not what its digest says.
    """
    found = os.fstat(file.fileno())
    look = (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
    if _intact.get(digest) == look:
        return
    if sha256_of(file) != digest:
        raise InputFailure("artifact-corrupted", f"The stored archive {digest} has changed.")
    _intact[digest] = look
