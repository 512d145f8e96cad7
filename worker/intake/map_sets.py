"""Reads an uploaded map set: which sample each map is of, and its numbers, into one blob that audits read."""

import logging
from collections.abc import Iterator
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.access.quotas import check_bytes
from app.db.session import transaction, write_for
from app.db.tables import MapRow, MapSetRow
from app.domain.refusals.maps import NOTHING_TAKEN, OVER_QUOTA
from app.domain.vocabulary import ResourceStatus
from app.errors import InputFailure, QuotaExceeded, TooLarge
from app.imaging.entries import ArchiveEntry, read_entry
from app.uploads.content import delete_unused
from worker.archives.listing import list_entries, seekable
from worker.archives.skipping import reason_to_skip
from worker.intake.arrivals import Skipped
from worker.intake.map_images import MapImages, images_of, readable_samples
from worker.intake.map_notes import notes_of_maps
from worker.intake.map_reader import MapReader
from worker.intake.map_rows import MapRows
from worker.intake.taken_maps import TakenMaps
from worker.lifecycle.context import WorkerContext

logger = logging.getLogger(__name__)


def read_map_set(context: WorkerContext, map_set_id: UUID) -> None:
    """Turn a map set from ``validating`` to ``ready`` or ``rejected``, in one transaction.

    Running it twice, even at the same time, changes nothing.
    """
    with transaction(context.engine) as session:
        query = select(MapSetRow).where(MapSetRow.id == map_set_id, MapSetRow.status == ResourceStatus.VALIDATING)
        row = session.scalar(query.with_for_update(skip_locked=True))
        if row is None:
            return
        intake = _Intake(context, session, row)
        try:
            intake.run()
            context.keep_blob(session, row.stored_digest or "")
            row.status, row.problem = ResourceStatus.READY, None
            logger.info("map set %s has %s maps", map_set_id, row.map_count)
        except InputFailure as failure:
            row.status, row.problem = ResourceStatus.REJECTED, failure.to_problem()
            row.stored_digest, row.stored_size = None, 0
            logger.info("map set %s rejected: %s", map_set_id, failure.code)
    if intake.archive is not None:
        delete_unused(context.engine, context.blobs, {intake.archive})


class _Intake:
    def __init__(self, context: WorkerContext, session: Session, row: MapSetRow) -> None:
        self._context = context
        self._session = session
        self._row = row
        self._skipped = Skipped()
        self.archive: str | None = None
        """What is read: the upload, or a compressed one inflated."""

    def run(self) -> None:
        """Raises InputFailure where the map set is to be rejected."""
        try:
            self._run()
        except FileNotFoundError as error:
            raise InputFailure("artifact-corrupted", "The stored content is gone; upload it again.") from error
        except TooLarge as error:
            detail = "Its maps are more than MAX_INFLATED_BYTES allows: send them as several map sets."
            raise InputFailure("archive-expansion-limit", detail) from error

    def _run(self) -> None:
        context, session, row = self._context, self._session, self._row
        session.execute(delete(MapRow).where(MapRow.map_set_id == row.id))
        write_for(session, row.tenant_id)
        self.archive = seekable(context.blobs, row.content_digest or "", context.settings)
        samples = readable_samples(session, row)
        images = images_of(session, row, list(self._files(self.archive)), samples, self._content)
        row.made = images.made
        with context.blobs.writer(context.settings.max_inflated_bytes + 1) as writer:
            self._take(images, TakenMaps(writer))
            self._check_quota()
            row.stored_digest = writer.commit().digest

    def _take(self, images: MapImages, taken: TakenMaps) -> None:
        """Raises InputFailure where nothing was taken."""
        row = self._row
        reader = MapReader(self._context, self.archive or "", images, taken, row.sigma)
        rows = MapRows(row.id, images.find, row.input_size is not None, taken)
        rows.store(self._session, reader.read(images.entries))
        taken.check_followed()
        row.map_count, row.unreadable_count = len(taken.maps), rows.unreadable
        row.stored_size, row.views, row.largest_cells = taken.writer.size, taken.views(), taken.largest_cells
        row.has_fixations = bool(taken.facts["fixations"])
        row.digest = taken.digest() if taken.maps else None
        row.notes = list(notes_of_maps(self._skipped, rows))
        if not taken.maps:
            why = ", ".join(f"{count} {code}" for code, count in rows.reasons.items())
            raise NOTHING_TAKEN.failure(why=f"Reasons: {why}." if why else " ".join(row.notes) or "It is empty.")

    def _files(self, archive: str) -> Iterator[ArchiveEntry]:
        for entry in list_entries(self._context.blobs, archive, self._context.settings).entries:
            reason = entry.skip or reason_to_skip(entry.name)
            if entry.is_folder:
                continue
            if reason is not None:
                self._skipped.add(reason, entry.name)
            else:
                yield entry

    def _content(self, entry: ArchiveEntry) -> bytes:
        context = self._context
        return read_entry(context.blobs, self.archive or "", entry, context.settings.max_entry_bytes)

    def _check_quota(self) -> None:
        """Raises InputFailure where the maps are too many for the tenant."""
        session, row = self._session, self._row
        session.flush()
        try:
            check_bytes(session, self._context.settings, row.tenant_id)
        except QuotaExceeded as error:
            raise OVER_QUOTA.failure(size=row.stored_size, why=error.detail) from error
