"""What one process fetches."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from app.errors import SalienceError

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
    unexplained: int
    """Attempts in a row, this one included, of which nobody told why they ended."""
