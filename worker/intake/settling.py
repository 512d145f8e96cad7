"""Where each sample comes, what it belongs to, and the digest over all of them."""

import hashlib
from collections.abc import Iterator
from uuid import UUID

from sqlalchemy.orm import Session

from app.domain.vocabulary import TAKEN
from app.sources.addresses import LISTING
from worker.intake.labels import Labels
from worker.intake.layout import Layout
from worker.intake.listings import pins_of
from worker.intake.samples import Settled, Told, in_batches, save_places, stream_told

BATCH = 1024


class Settler:
    """Of one data set; of a listing its objects' pins stand for contents that nobody has read."""

    def __init__(self, layout: Layout, labels: Labels, *, is_listed: bool) -> None:
        self._layout = layout
        self._labels = labels
        self._is_listed = is_listed
        self._hash = hashlib.sha256()
        self.ready = 0
        self.unreadable = 0

    @property
    def digest(self) -> str:
        return f"{LISTING if self._is_listed else ''}sha256:{self._hash.hexdigest()}"

    def settle(self, session: Session, dataset_id: UUID) -> None:
        """Splits, labels, sources and positions, in the order of the names."""
        for batch in in_batches(stream_told(session, dataset_id), BATCH):
            pins = pins_of(session, dataset_id, batch) if self._is_listed else {}
            save_places(session, [self._settled(told, pins.get(told.id)) for told in batch])

    def _settled(self, told: Told, pin: bytes | None) -> Settled:
        place = self._layout.place(told.name)
        label, source = (place.label, place.source) if self._labels.from_folders else (told.label, told.source)
        is_taken = told.status in TAKEN
        settled = Settled(told.id, self.ready if is_taken else None, told.split or place.split, label, source)
        self.ready += is_taken
        self.unreadable += not is_taken
        if is_taken:
            self._add(told, settled, pin or told.content_sha256 or b"")
        return settled

    def _add(self, told: Told, settled: Settled, content: bytes) -> None:
        for part in (told.name, settled.label or "", settled.source or ""):
            self._hash.update(part.encode() + b"\0")
        for name, value in _further(told, settled):
            self._hash.update(f"{name}={value}".encode() + b"\0")
        self._hash.update(content)


def _further(told: Told, settled: Settled) -> Iterator[tuple[str, str]]:
    """What a sample may have beside label and source; nothing, as long as data sets had no more."""
    yield from ((name, value) for name, value in (("split", settled.split), ("cluster", told.cluster)) if value)
    yield from sorted((told.groups or {}).items())
