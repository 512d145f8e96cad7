"""The clean maps that a subject's images follow: what tells each, and where a job finds it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.db.session import transaction
from app.db.tables import MapSetRow, SampleRow, SampleScoresRow, map_cells
from app.domain.audits.changed_images import digest_of_map
from app.domain.maps.sizes import FLOAT_BYTES
from app.domain.vocabulary import CLEAN
from app.errors import InputFailure
from app.results.inputs import AuditInputs
from worker.given.maps import stored_cells
from worker.lifecycle.context import WorkerContext
from worker.shards.request import job_map_set
from worker.wire.job_parts import JobMap, JobMapSet

_NATIVE = func.substring(SampleScoresRow.maps, 1, map_cells() * FLOAT_BYTES)


@dataclass(frozen=True)
class FollowedMaps:
    """Of one subject of an audit, by the numbers of samples among those that are asked for. Raises InputFailure
    ``maps-missing`` where a sample has none."""

    context: WorkerContext
    inputs: AuditInputs
    ordinal: int

    def digests(self, samples: Sequence[SampleRow]) -> dict[int, str]:
        """Stored maps are digested by the database: no map leaves it before its images are made."""
        map_set = self.inputs.subjects[self.ordinal].map_set
        if map_set is not None:
            return self._digests_given(self._given(map_set, samples))
        digest = func.encode(func.sha256(_NATIVE), "hex")
        with transaction(self.context.engine) as session:
            found = {number: f"sha256:{row[1]}" for number, row in self._stored(session, samples, digest)}
        _check(samples, found)
        return found

    def of_job(self, samples: Sequence[SampleRow]) -> tuple[tuple[JobMap, ...], JobMapSet | None]:
        """As the audit stored them, in the order of the samples, or where a map set has them."""
        map_set = self.inputs.subjects[self.ordinal].map_set
        if map_set is not None:
            return (), self._given(map_set, samples)
        row = SampleScoresRow
        with transaction(self.context.engine) as session:
            stored = self._stored(session, samples, _NATIVE, row.map_height, row.map_width)
        maps = [
            JobMap(number=number, native=cells.hex(), map_height=height, map_width=width)
            for number, (_, cells, height, width) in stored
        ]
        _check(samples, (one.number for one in maps))
        return tuple(sorted(maps, key=lambda one: one.number)), None

    def _stored(self, session: Session, samples: Sequence[SampleRow], *wanted: Any) -> list[tuple[int, Any]]:
        """The number of each sample, and what is wanted of its row behind the sample's id."""
        row, numbers = SampleScoresRow, {sample.id: number for number, sample in enumerate(samples)}
        query = select(row.sample_id, *wanted).where(
            row.audit_id == self.inputs.audit.id,
            row.model_ordinal == self.ordinal,
            row.sample_id.in_(numbers),
            row.maps.is_not(None),
        )
        return [(numbers[found[0]], found) for found in session.execute(query)]

    def _given(self, map_set: MapSetRow, samples: Sequence[SampleRow]) -> JobMapSet:
        with transaction(self.context.engine) as session:
            found = job_map_set(session, map_set, samples)
        _check(samples, (one.number for one in found.maps if one.view == CLEAN))
        return found

    def _digests_given(self, map_set: JobMapSet) -> dict[int, str]:
        blobs, digest = self.context.blobs, map_set.digest or ""
        clean = (one for one in map_set.maps if one.view == CLEAN)
        return {one.number: digest_of_map(stored_cells(blobs, digest, one)) for one in clean}


def _check(samples: Sequence[SampleRow], found: Iterable[int]) -> None:
    missing = {*range(len(samples))}.difference(found)
    if missing:
        detail = f"There is no clean map of {len(missing)} samples, such as {samples[min(missing)].name!a}."
        raise InputFailure("maps-missing", detail)
