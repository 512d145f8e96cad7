"""What a registry says of a file's bytes, held against those that come."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from app.errors import EgressFailure


@dataclass(frozen=True)
class Checksum:
    """What a registry says of a file's bytes; ``before`` goes into the hash first."""

    algorithm: str
    hex: str
    before: bytes = b""

    @property
    def is_blobs(self) -> bool:
        """Whether it is the one that whoever stores the bytes counts as well."""
        return self.algorithm == "sha256" and not self.before

    def checked(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """The same pieces. Raises EgressFailure behind the last, where they are others."""
        sum_ = hashlib.new(self.algorithm, self.before, usedforsecurity=False)
        for piece in pieces:
            sum_.update(piece)
            yield piece
        self.check(sum_.hexdigest())

    def check(self, found: str) -> None:
        """Raises EgressFailure where it is another."""
        if found != self.hex:
            detail = "The bytes of a file are not those that the registry names by their digest."
            raise EgressFailure("artifact-corrupted", detail)
