"""Reads what was listed, and nothing that lies there now under the same name."""

import time
from uuid import UUID

from sqlalchemy.orm import Session

from app.db.tables import DatasetObjectRow
from app.errors import EgressFailure, InputFailure, TransientFailure
from app.registries.listed import Listed, Place
from app.sources.reach import UNAVAILABLE

PAUSES = (0.2, 1.0)
"""Seconds before the tries after the first, where an answer may be another the next time."""


class Patience:
    """Seconds that several reads may take together, from the beginning of the first."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._until: float | None = None

    def left(self) -> float:
        """Seconds. Raises TransientFailure ``source-unavailable`` where none are left."""
        if self._until is None:
            self._until = time.monotonic() + self._seconds
        left = self._until - time.monotonic()
        if left <= 0:
            raise TransientFailure(UNAVAILABLE, "The source takes too long.")
        return left


def listed_object(session: Session, dataset_id: UUID, number: int) -> Listed:
    """Raises InputFailure where there is none."""
    row = session.get(DatasetObjectRow, (dataset_id, number))
    if row is None:
        raise InputFailure("artifact-corrupted", "The listing has no such object.")
    return Listed(row.key, row.pin, row.size)


def read_listed(place: Place, listed: Listed, offset: int, length: int, *, patience: Patience | None = None) -> bytes:
    """Raises InputFailure, which names the object: ``artifact-corrupted`` where it is another now, or gone; and
    TransientFailure ``source-unavailable``."""
    for pause in (*PAUSES, None):
        try:
            return place.read(listed, offset, length)
        except EgressFailure as failure:
            if not failure.passing:
                raise _named(failure, listed.key) from failure
            if pause is None:
                detail = f"The source does not answer ({failure.code}): {listed.key[-200:]!a}. {failure.detail}"
                raise TransientFailure(UNAVAILABLE, detail) from failure
            time.sleep(pause)
            if patience is not None:
                patience.left()
    raise AssertionError  # the last pause is None


def _named(failure: EgressFailure, key: str) -> InputFailure:
    code = "artifact-corrupted" if failure.code == "registry-not-found" else failure.code
    name = f"{key[-200:]!a}"
    detail = failure.detail if name in failure.detail else f"The object {name} cannot be read. {failure.detail}"
    return InputFailure(code, detail)
