"""A listing as an archive that nobody packed: every object has its number, and a number its part of the offsets.

So whatever reads a sample at an offset of an archive reads it out of a listing as well.
"""

from uuid import UUID

LISTING = "listing:"
"""Begins what stands in the place of an archive's digest."""
OBJECT_BYTES = 2**38
ROWS = 2**37
"""From here on an object's offsets count the rows of a table, which lie at no bytes of it: no object may be longer."""
MOST_OBJECTS = 2**25
"""Their offsets are 63 bits long."""


def listing_of(dataset_id: UUID) -> str:
    """What stands in the place of an archive's digest."""
    return f"{LISTING}{dataset_id}"


def listed_dataset(digest: str) -> UUID | None:
    """Whose listing it is; None of an archive."""
    return UUID(digest.removeprefix(LISTING)) if digest.startswith(LISTING) else None


def start_of(number: int) -> int:
    """The offset of an object's first byte."""
    return number * OBJECT_BYTES


def object_at(offset: int) -> tuple[int, int]:
    """The number of the object in which an offset lies, and the offset within it."""
    return divmod(offset, OBJECT_BYTES)
