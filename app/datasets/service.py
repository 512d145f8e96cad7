"""What can be done with data sets; never commits."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.datasets.schemas import DatasetRequest
from app.db.identifiers import new_id
from app.db.references import refuse_while_audited
from app.db.tables import AuditRow, DatasetImportRow, DatasetRow, MapSetRow
from app.domain.vocabulary import ResourceStatus
from app.errors import UnsupportedMediaType
from app.imaging.containers import container_of
from app.naming.versions import next_version
from app.uploads.content import digests_of
from app.uploads.sources import check_source


def register(session: Session, request: DatasetRequest) -> DatasetRow:
    """Raises NotFound and Unprocessable where its source has no connection of its kind."""
    row = DatasetRow(
        id=new_id(),
        name=request.name,
        version=request.version or next_version(session, DatasetRow, request.name),
        about=request.description,
        tags=request.tags,
        extra=request.metadata,
        labels=[],
        sources=[],
        notes=[],
    )
    row.label_map, row.name_encoding = request.label_map, request.name_encoding
    row.columns = None if request.columns is None else request.columns.model_dump(exclude_none=True)
    session.add(row)
    session.flush()
    if request.source is not None:
        check_source(session, request.source)
        row.status, row.source = ResourceStatus.FETCHING, request.source.model_dump(mode="json")
        session.add(DatasetImportRow(dataset_id=row.id, **request.source.model_dump()))
        session.flush()
    session.refresh(row)
    return row


def check_start(start: bytes) -> None:
    """Raises UnsupportedMediaType for what is no archive by its first 512 bytes."""
    if container_of(start) is None:
        detail = (
            "The content is no zip or tar archive (tar.gz, tar.bz2, tar.xz and tar.zst are), and no Parquet table of "
            "images: pack the images as one."
        )
        raise UnsupportedMediaType("unsupported-media-type", detail)


def delete(session: Session, row: DatasetRow) -> set[str]:
    """The blobs that it and its map sets, which go with it, referred to. Raises Conflict ``dataset-in-use``."""
    refuse_while_audited(session, "data set", AuditRow.dataset_id == row.id)
    maps = session.scalars(select(MapSetRow).where(MapSetRow.dataset_id == row.id)).all()
    session.delete(row)
    session.flush()
    return digests_of(row).union(*map(digests_of, maps))
