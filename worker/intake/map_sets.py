"""Reads an uploaded map set: which sample each map is of, and its numbers, into one blob that audits read."""

import hashlib
import logging
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from app.access.quotas import check_bytes
from app.db.identifiers import new_id
from app.db.session import transaction, write_for
from app.db.tables import DatasetRow, MapRow, MapSetRow, SampleRow
from app.domain.audits.changed_images import digest_of_map
from app.domain.refusals.maps import (
    AMBIGUOUS_NAME,
    NO_SAMPLE,
    NOTHING_TAKEN,
    OTHER_CLEAN_MAP,
    OTHER_SIZE,
    OVER_QUOTA,
    SECOND_MAP,
)
from app.domain.vocabulary import CLEAN, MapDoubt, ResourceStatus, SampleStatus
from app.errors import InputFailure, QuotaExceeded, TooLarge
from app.imaging.compression import DEFLATED
from app.imaging.entries import ArchiveEntry, read_entry
from app.storage.writing import BlobWriter
from app.uploads.content import delete_unused
from worker.archives.listing import list_entries, seekable
from worker.archives.skipping import reason_to_skip
from worker.intake.arrivals import Skipped
from worker.intake.handed_out import HandedOut, Place
from worker.intake.map_reader import MapReader
from worker.intake.notes import counted, skipped_notes
from worker.lifecycle.context import WorkerContext
from worker.map_files.sample_names import Below, Named, SampleNames
from worker.wire.facts import MapFacts

logger = logging.getLogger(__name__)

BATCH = 500
MOST_LISTED = 10_000
"""Of what came and is no map; the rest is counted."""


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


@dataclass
class _Taken:
    """What the maps so far add up to."""

    writer: BlobWriter
    maps: dict[tuple[str, str], tuple[str, str]] = field(default_factory=dict)
    """By sample and view: what it was called, and the digest of its numbers."""
    followed: dict[tuple[str, str], str] = field(default_factory=dict)
    """Digests of the clean maps by which images were changed, by sample and view."""
    facts: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    largest_cells: int = 0
    size: str | None = None
    """Of the last map; of handed out images all have the first one's."""

    def digest(self) -> str:
        """Over samples, views and numbers, in order."""
        made = hashlib.sha256()
        for (sample, view), (_, content) in sorted(self.maps.items()):
            made.update(f"{sample}\0{view}\0".encode() + bytes.fromhex(content.removeprefix("sha256:")))
        return f"sha256:{made.hexdigest()}"

    def check_followed(self) -> None:
        """Raises InputFailure ``map-of-another-clean-map``. Where a sample has no clean map nothing is scored."""
        others = [
            key for key, digest in self.followed.items() if self.maps.get((key[0], CLEAN), ("", digest))[1] != digest
        ]
        if others:
            name, view = others[0]
            raise OTHER_CLEAN_MAP.failure(name=repr(name), view=view, count=len(others))


Find = Callable[[str], Place | None]
"""Of which image a map of that name is. Raises KeyError where it fits several."""


def _clean_place(below: Below, name: str) -> Place | None:
    """Of a map of the samples' own images."""
    sample = below.find(name)
    return None if sample is None else Place(sample, CLEAN)


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
        archive = self.archive = seekable(context.blobs, row.content_digest or "", context.settings)
        entries = list(self._files(archive))
        samples = self._samples()
        find: Find
        folder: str | None = None
        if row.input_size is None:
            below = samples.below(entry.name for entry in entries)
            find, folder = partial(_clean_place, below), below.folder
        else:
            dataset = session.get_one(DatasetRow, row.dataset_id)
            handed_out = HandedOut.read(entries, self._content, samples, dataset.digest or "")
            entries, row.made, find = [*filter(handed_out.is_map, entries)], handed_out.made, handed_out.find
        reader = MapReader(context, archive, list(samples.by_name.values()), folder, row.sigma)
        with context.blobs.writer(context.settings.max_inflated_bytes + 1) as writer:
            taken = _Taken(writer)
            waiting: list[dict[str, Any]] = []
            for facts, content in reader.read(entries):
                waiting.append(self._judged(facts, content, find, taken))
                if len(waiting) >= BATCH:
                    self._store(waiting, taken)
                    waiting = []
            self._store(waiting, taken)
            taken.check_followed()
            self._finish(taken)
            if taken.maps:
                self._check_quota()
                row.stored_digest = writer.commit().digest
        if not taken.maps:
            why = ", ".join(f"{count} {code}" for code, count in taken.reasons.items())
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

    def _samples(self) -> SampleNames:
        of_dataset = SampleRow.dataset_id == self._row.dataset_id
        query = select(SampleRow.name, SampleRow.id, SampleRow.width, SampleRow.height, SampleRow.status)
        ready, others = [], []
        for name, sample_id, width, height, status in self._session.execute(query.where(of_dataset)):
            if status != SampleStatus.UNREADABLE:
                ready.append(Named(name, sample_id, width or 0, height or 0))
            else:
                others.append(name)
        return SampleNames(ready, others)

    def _content(self, entry: ArchiveEntry) -> bytes:
        context = self._context
        return read_entry(context.blobs, self.archive or "", entry, context.settings.max_entry_bytes)

    def _judged(self, facts: MapFacts, content: bytes, find: Find, taken: _Taken) -> dict[str, Any]:
        """The row of one map, whose numbers are written where it is one."""
        made: dict[str, Any] = {"id": new_id(), "map_set_id": self._row.id, "name": facts.name, "view": CLEAN}
        if facts.code is not None:
            return made | _unreadable(facts.code, facts.detail)
        try:
            place = find(facts.name)
        except KeyError:
            return made | _unreadable(AMBIGUOUS_NAME.code, AMBIGUOUS_NAME.detail(name=repr(facts.name)))
        if place is None:
            return made | _unreadable(NO_SAMPLE.code, NO_SAMPLE.detail(name=repr(facts.name)))
        sample, view, clean_map = place
        made["view"] = view
        size = f"{facts.height} x {facts.width}"
        if self._row.input_size is not None and (taken.size or size) != size:
            detail = OTHER_SIZE.detail(name=repr(facts.name), size=size, first=taken.size)
            return made | {"sample_id": sample.id} | _unreadable(OTHER_SIZE.code, detail)
        taken.size = size
        first = taken.maps.get((sample.name, view))
        if first is not None:
            detail = SECOND_MAP.detail(name=repr(sample.name), first=repr(first[0]))
            return made | {"sample_id": sample.id} | _unreadable(SECOND_MAP.code, detail)
        if clean_map is not None:
            taken.followed[sample.name, view] = clean_map
        return made | {"sample_id": sample.id} | _written(facts, content, (sample.name, view), taken)

    def _store(self, rows: list[dict[str, Any]], taken: _Taken) -> None:
        kept = []
        for row in rows:
            if row["status"] == SampleStatus.UNREADABLE:
                taken.facts["unreadable"] += 1
                taken.reasons[row["problem"]["code"]] += 1
                if taken.facts["unreadable"] > MOST_LISTED:
                    continue
            kept.append(_EMPTY | row)
        if kept:
            self._session.execute(insert(MapRow), kept)

    def _finish(self, taken: _Taken) -> None:
        row, facts = self._row, taken.facts
        row.map_count, row.unreadable_count = len(taken.maps), facts["unreadable"]
        row.stored_size = taken.writer.size
        row.views = sorted({view for _, view in taken.maps}, key=lambda view: (view != CLEAN, view))
        row.largest_cells, row.has_fixations = taken.largest_cells, bool(facts["fixations"])
        row.digest = taken.digest() if taken.maps else None
        row.notes = list(self._notes(taken))

    def _check_quota(self) -> None:
        """Raises InputFailure where the maps are too many for the tenant."""
        session, row = self._session, self._row
        session.flush()
        try:
            check_bytes(session, self._context.settings, row.tenant_id)
        except QuotaExceeded as error:
            raise OVER_QUOTA.failure(size=row.stored_size, why=error.detail) from error

    def _notes(self, taken: _Taken) -> Iterator[str]:
        yield from skipped_notes(self._skipped)
        facts = taken.facts
        one, many = "map has values below 0, which were taken as 0.", "maps have values below 0, which were taken as 0."
        yield from counted(facts["negative"], one, many)
        one, many = "map is constant: it shows no salience.", "maps are constant: they show no salience."
        yield from counted(facts["constant"], one, many)
        what = "brought down to a million cells by area."
        yield from counted(facts["larger"], f"map was {what}", f"maps were {what}")
        what = "in colours, read by how bright they are: a heat map's colours do not rise so. Send numbers, or greys."
        yield from counted(facts[MapDoubt.COLOURS], f"map is {what}", f"maps are {what}")
        what = "light in its corners and over most of it. If it is dark strokes on paper, send them light on black."
        yield from counted(facts[MapDoubt.DARK_ON_LIGHT], f"map is {what}", f"maps are {what}")
        if taken.reasons:
            reasons = ", ".join(f"{count} {code}" for code, count in taken.reasons.most_common())
            yield f"{facts['unreadable']} gave no map ({reasons}): see the map set's maps."


_EMPTY: dict[str, Any] = dict.fromkeys(
    ("sample_id", "problem", "height", "width", "fixations", "offset", "stored_size", "size", "compression", "crc32")
)


def _unreadable(code: str, detail: str) -> dict[str, Any]:
    return {"status": SampleStatus.UNREADABLE, "problem": {"code": code, "detail": detail}}


def _written(facts: MapFacts, content: bytes, key: tuple[str, str], taken: _Taken) -> dict[str, Any]:
    """Where its numbers lie from now on."""
    squeezer = zlib.compressobj(1, zlib.DEFLATED, -zlib.MAX_WBITS)
    packed = squeezer.compress(content) + squeezer.flush()
    offset = taken.writer.size
    taken.writer.write(packed)
    taken.maps[key] = facts.name, digest_of_map(content)
    taken.largest_cells = max(taken.largest_cells, (facts.height or 0) * (facts.width or 0))
    taken.facts["fixations"] += facts.fixations is not None
    taken.facts["negative"] += facts.was_negative
    taken.facts["larger"] += facts.was_larger
    taken.facts["constant"] += not any(content)
    if facts.doubt is not None:
        taken.facts[facts.doubt] += 1
    return {
        "status": SampleStatus.READY,
        "height": facts.height,
        "width": facts.width,
        "fixations": None if facts.fixations is None else list(facts.fixations),
        "offset": offset,
        "stored_size": len(packed),
        "size": len(content),
        "compression": DEFLATED,
        "crc32": facts.crc32,
    }
