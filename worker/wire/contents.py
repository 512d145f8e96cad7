"""Where stored contents come from: the blob store, or what a process without one was handed."""

import hashlib
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, BinaryIO, Protocol, cast

from app.errors import InputFailure


class Inputs(Protocol):
    """Contents by digest."""

    def read_range(self, digest: str, offset: int, length: int) -> bytes: ...

    def opened(self, digest: str) -> AbstractContextManager[BinaryIO]: ...


@contextmanager
def verified(inputs: Inputs, digest: str) -> Iterator[BinaryIO]:
    """The content from its beginning, once it is known to be what was stored.

    Raises InputFailure ``artifact-corrupted`` where it was changed, cut or lost.
    """
    try:
        with inputs.opened(digest) as file:
            if sha256_of(file) != digest:
                raise InputFailure("artifact-corrupted", f"The stored content {digest} has changed.")
            file.seek(0)
            yield file
    except FileNotFoundError as error:
        raise InputFailure("artifact-corrupted", f"The stored content {digest} is gone.") from error


def sha256_of(file: BinaryIO) -> str:
    """From where it stands, in the form in which contents are named."""
    return f"sha256:{hashlib.file_digest(cast('Any', file), 'sha256').hexdigest()}"
