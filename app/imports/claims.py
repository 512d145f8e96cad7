"""What one process fetches, and what with."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import Engine

from app.errors import SalienceError
from app.imports.turns import Turn
from app.settings import Settings
from app.storage.blobs import BlobStore

LEASE = timedelta(seconds=120)


class ImportLost(SalienceError):
    """The resource was deleted, or another process has it now."""

    def __init__(self) -> None:
        super().__init__("import-lost", "The import belongs to another process.")


@dataclass(frozen=True)
class Claim:
    """What this process fetches, as long as the count of attempts stays its own."""

    resource_id: UUID
    tenant_id: UUID
    connection_id: UUID | None
    uri: str
    attempt: int
    turns: int
    """Of the attempts before this one, those that only let others go first."""
    unexplained: int
    """Attempts in a row, this one included, of which nobody told why they ended."""

    @property
    def tries(self) -> int:
        """Attempts that count, this one included."""
        return self.attempt - self.turns


@dataclass(frozen=True)
class Means:
    """What a fetch works with."""

    engine: Engine
    blobs: BlobStore
    settings: Settings
    claim: Claim
    turn: Turn
