"""What is fetched, on its way into a blob."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from app.domain.stored_text import UNSTORABLE, is_storable, is_storable_json
from app.errors import EgressFailure, InputFailure, TooLarge
from app.models.imported import Found
from app.registries.base import Files, Pieces, Version
from app.registries.checksums import Checksum
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


@dataclass(frozen=True)
class Storing:
    """Where blobs are made. Every method raises EgressFailure, also where there is more than may be."""

    blobs: BlobStore
    max_bytes: int
    still_at_it: StillAtIt

    def file(self, files: Files, name: str) -> StoredBlob:
        """One as it is. Its bytes are hashed once where the blob's digest is also what the registry tells."""
        told = files.checksum(name)
        with files.fetch(name, self.max_bytes) as download:
            if told is not None and told.is_blobs:
                return self.pieces(download.pieces(), told)
            return self.pieces(checked_pieces(files, name, download))

    def pieces(self, pieces: Iterator[bytes], told: Checksum | None = None) -> StoredBlob:
        """All of them; ``told`` is what the blob's digest must be."""
        try:
            with self.blobs.writer(self.max_bytes) as writer:
                for piece in pieces:
                    writer.write(piece)
                    self.still_at_it()
                if told is not None:
                    told.check(writer.sha256.hex())
                return writer.commit()
        except TooLarge as error:
            raise EgressFailure("answer-too-large", error.detail) from error
