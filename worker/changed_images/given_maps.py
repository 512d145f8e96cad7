"""The clean maps of a map set, as a child that changes images by them takes them."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db.tables import MapRow, MapSetRow, SampleRow
from app.domain.map_sizes import FLOAT_BYTES, MOST_CELLS
from app.domain.vocabulary import CLEAN, SampleStatus
from app.errors import InputFailure
from app.imaging.entries import entry_of, read_entry
from app.storage.blobs import BlobStore
from worker.wire.jobs import JobGivenMap, JobMap


def given_maps(
    session: Session, blobs: BlobStore, map_set: MapSetRow, samples: Sequence[SampleRow]
) -> tuple[JobMap, ...]:
    """Of the samples that have one, in their order. Raises InputFailure ``artifact-corrupted``."""
    numbers = {sample.id: number for number, sample in enumerate(samples)}
    row = MapRow
    query = select(row).where(row.map_set_id == map_set.id, row.view == CLEAN, row.status == SampleStatus.READY)
    found = []
    for one in session.scalars(query.where(row.sample_id.in_(numbers))):
        fields = {name: getattr(one, name) for name in JobGivenMap.model_fields if name != "number"}
        place = JobGivenMap.model_validate({**fields, "number": numbers[one.sample_id or map_set.id]})
        try:
            data = read_entry(blobs, map_set.stored_digest or "", entry_of(place), MOST_CELLS * FLOAT_BYTES)
        except FileNotFoundError as error:
            raise InputFailure("artifact-corrupted", f"The maps of the map set {map_set.id} are gone.") from error
        found.append(JobMap(number=place.number, native=data.hex(), map_height=place.height, map_width=place.width))
    return tuple(sorted(found, key=lambda one: one.number))
