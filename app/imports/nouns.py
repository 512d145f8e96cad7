"""What tells models from data sets where they are fetched."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar
from uuid import UUID

from sqlalchemy.orm import InstrumentedAttribute, Session

from app.db.tables import DatasetImportRow, DatasetRow, ModelImportRow, ModelRow
from app.domain.events import Event
from app.domain.vocabulary import ResourceStatus
from app.errors import InputFailure, SalienceError
from app.imports.claims import Means
from app.imports.fetching import fetch
from app.imports.listing import fetch_dataset
from app.imports.resuming import resuming
from app.imports.storing import Fetched
from app.models.service import described_anew
from app.queue import TaskName
from app.registries.base import Registry
from app.sources.addresses import listing_of
from app.sources.objects import forget_listing
from app.webhooks.events import dataset_looked_at, model_looked_at

Imported = TypeVar("Imported", ModelImportRow, DatasetImportRow)
Row = TypeVar("Row", ModelRow, DatasetRow)


@dataclass(frozen=True)
class Noun(Generic[Imported, Row]):
    """One kind of resource that is fetched."""

    name: str
    imports: type[Imported]
    key: InstrumentedAttribute[UUID]
    """Of ``imports``: the resource's id."""
    rows: type[Row]
    fetch: Callable[[Registry, Means], Fetched]
    """Raises EgressFailure, InputFailure."""
    take: Callable[[Row, Imported, Fetched], bool]
    """Sets the status; whether a worker can look at it now."""
    forget: Callable[[Session, Imported], None]
    """What an import that ends without a content wrote down beside its row."""
    task: TaskName
    """Of that worker."""
    looked_at: Callable[[Row], Event]


def _fetch_model(registry: Registry, means: Means) -> Fetched:
    with resuming(registry, means) as kept:
        return fetch(kept, means.claim.uri, means.blobs, means.settings.max_upload_bytes, means.turn)


def _take_model(row: ModelRow, imported: ModelImportRow, fetched: Fetched) -> bool:
    """What a request would be told is here the model's own problem."""
    imported.found = [list(found) for found in fetched.found]
    row.registered_at = row.registered_at or fetched.version.registered_at
    try:
        return described_anew(row, imported)
    except SalienceError as error:
        raise InputFailure(error.code, error.detail) from error


def _take_dataset(row: DatasetRow, imported: DatasetImportRow, fetched: Fetched) -> bool:
    del imported
    row.status = ResourceStatus.VALIDATING
    row.stored_digest = listing_of(row.id) if fetched.blob is None else None
    row.source = {**(row.source or {}), "by_reference": fetched.blob is None}
    return True


MODELS = Noun(
    name="model-importer",
    imports=ModelImportRow,
    key=ModelImportRow.model_id,
    rows=ModelRow,
    fetch=_fetch_model,
    take=_take_model,
    forget=lambda _, __: None,
    task=TaskName.VALIDATE_MODEL,
    looked_at=lambda row: model_looked_at(row, row.status, row.problem),
)
DATASETS = Noun(
    name="dataset-importer",
    imports=DatasetImportRow,
    key=DatasetImportRow.dataset_id,
    rows=DatasetRow,
    fetch=fetch_dataset,
    take=_take_dataset,
    forget=forget_listing,
    task=TaskName.INDEX_DATASET,
    looked_at=dataset_looked_at,
)
