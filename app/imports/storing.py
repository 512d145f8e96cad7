"""What is fetched, on its way into a blob."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from app.domain.stored_text import UNSTORABLE, is_storable, is_storable_json
from app.errors import EgressFailure, InputFailure, TooLarge
from app.models.imported import Found
from app.registries.base import Files, Pieces, Version
from app.storage.blobs import BlobStore
from app.storage.writing import StoredBlob

StillAtIt = Callable[[], None]
"""Called with every piece; it may raise."""


@dataclass(frozen=True)
class Fetched:
    """A version's content."""

    version: Version
    file: str | None
    """None where several files became one."""
    blob: StoredBlob | None
    """None of a data set that is listed, and stays where it is."""
    found: list[Found] = field(default_factory=list)
    """What a model says of itself."""

    def check_storable(self) -> None:
        """Everything that goes into rows. Raises InputFailure ``description-invalid``, EgressFailure."""
        for origin, part in self.found:
            if not is_storable_json(part):
                raise InputFailure("description-invalid", f"The description of {origin} holds {UNSTORABLE}.")
        if not all(map(is_storable, (self.version.name, self.version.version, self.file or ""))):
            raise EgressFailure("answer-malformed", f"The name of the version, or of its file, holds {UNSTORABLE}.")


def checked_pieces(files: Files, name: str, download: Pieces) -> Iterator[bytes]:
    """Raises EgressFailure behind the last one, where the registry names other bytes by their digest."""
    checksum = files.checksum(name)
    return download.pieces() if checksum is None else checksum.checked(download.pieces())


def stored(pieces: Iterator[bytes], blobs: BlobStore, max_bytes: int, still_at_it: StillAtIt) -> StoredBlob:
    """Raises EgressFailure where there is more than may be."""
    try:
        with blobs.writer(max_bytes) as writer:
            for piece in pieces:
                writer.write(piece)
                still_at_it()
            return writer.commit()
    except TooLarge as error:
        raise EgressFailure("answer-too-large", error.detail) from error
