"""What can be done with map sets; never commits."""

from uuid import UUID

from sqlalchemy.orm import Session

from app.datasets.repository import get_dataset
from app.db.identifiers import new_id
from app.db.references import of_map_set, refuse_while_audited
from app.db.tables import MapSetRow
from app.domain.models.input_size import size_of
from app.domain.problems import planning
from app.domain.refusals.maps import MAPS_NOT_PACKED
from app.domain.vocabulary import ResourceStatus
from app.errors import UnsupportedMediaType
from app.imaging.containers import container_of
from app.map_sets.repository import get_map_set
from app.map_sets.schemas import MapSetRequest
from app.naming.versions import next_version
from app.uploads.content import digests_of


def register(session: Session, request: MapSetRequest) -> MapSetRow:
    """Raises NotFound, and Conflict ``dataset-not-ready``: maps are matched with samples when they are read."""
    dataset = get_dataset(session, request.dataset_id)
    if dataset.status != ResourceStatus.READY:
        raise planning.DATASET_NOT_READY.error(status=dataset.status)
    row = MapSetRow(
        id=new_id(),
        dataset_id=dataset.id,
        name=request.name,
        kind=request.kind,
        version=request.version or next_version(session, MapSetRow, request.name),
        about=request.description,
        tags=request.tags,
        extra=request.metadata,
        sigma=request.sigma,
        input_size=None if request.input_size is None else list(size_of(request.input_size)),
        notes=[],
        views=[],
    )
    session.add(row)
    session.flush()
    session.refresh(row)
    return row


def check_start(start: bytes) -> None:
    """Raises UnsupportedMediaType for what is no archive by its first 512 bytes."""
    if container_of(start) is None:
        raise UnsupportedMediaType("unsupported-media-type", MAPS_NOT_PACKED)


def lock_for_content(session: Session, map_set_id: UUID) -> MapSetRow:
    """Raises NotFound, and Conflict ``map-set-in-use`` while an audit is at it that was told of no maps: half of its
    samples would have them."""
    row = get_map_set(session, map_set_id, lock=True)
    refuse_while_audited(session, "map set", of_map_set(row.id), live_only=True)
    return row


def delete(session: Session, row: MapSetRow) -> set[str]:
    """The blobs that it referred to. Raises Conflict ``map-set-in-use``."""
    refuse_while_audited(session, "map set", of_map_set(row.id))
    session.delete(row)
    session.flush()
    return digests_of(row)
