"""Archives whose entries carry no checksum (tar) are read whole before use, once as long as nobody touches them."""

import os
from typing import BinaryIO

from app.errors import InputFailure
from worker.wire.contents import sha256_of

# By digest: how the file looked when it was found intact. Whoever changes it changes that.
_intact: dict[str, tuple[int, ...]] = {}


def check_intact(file: BinaryIO, digest: str) -> None:
    """Raises InputFailure ``artifact-corrupted`` where the file is not what its digest says."""
    found = os.fstat(file.fileno())
    look = (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
    if _intact.get(digest) == look:
        return
    if sha256_of(file) != digest:
        raise InputFailure("artifact-corrupted", f"The stored archive {digest} has changed.")
    _intact[digest] = look
