"""``PUT .../content`` and the like: one way in for every resource that is a description and a file."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Generic, TypeVar
from uuid import UUID

from anyio import to_thread
from fastapi import Depends, Request
from sqlalchemy.orm import Session

from app.access.quotas import check_bytes
from app.db.session import TenantEngine, transaction
from app.db.tables import DatasetRow, MapSetRow, ModelRow
from app.http.dependencies import BlobsDep, QueueDep, SettingsDep, TenantDep
from app.http.wake_up import wake_worker
from app.queue import TaskName, TaskQueue
from app.settings import Settings
from app.storage.blobs import BlobStore
from app.storage.writing import StoredBlob
from app.uploads.content import accept, delete_unused, digests_of, taking_over

Row = TypeVar("Row", ModelRow, DatasetRow, MapSetRow)
Shown = TypeVar("Shown")
Receive = Callable[[Request, BlobStore, int], Awaitable[StoredBlob]]
"""Streams a body of at most so many bytes into the store."""


@dataclass(frozen=True)
class Resource(Generic[Row, Shown]):
    """What tells one kind of resource from another when its content comes in."""

    find: Callable[[Session, UUID], Row]
    """Raises NotFound."""
    lock: Callable[[Session, UUID], Row]
    """The same, with the row locked to the transaction's end."""
    show: Callable[[Row], Shown]
    receive: Receive
    task: TaskName
    """What looks into the content."""
    accept: Callable[[Row, StoredBlob], bool] = accept
    """Lets the row refer to the blob; False where it does already."""


@dataclass(frozen=True)
class Uploads:
    """The parts of the service that an upload goes through, for the caller's tenant."""

    tenant: TenantEngine
    blobs: BlobStore
    queue: TaskQueue
    settings: Settings

    async def put(self, resource: Resource[Row, Shown], resource_id: UUID, request: Request) -> Shown:
        """Takes the body in; a worker hears of it once it is committed. The same content again changes nothing."""
        await to_thread.run_sync(self._find, resource, resource_id)
        blob = await resource.receive(request, self.blobs, self.settings.max_upload_bytes)
        shown, is_new = await to_thread.run_sync(self._accept, resource, resource_id, blob)
        if is_new:
            await to_thread.run_sync(wake_worker, self.queue, resource.task, resource_id)
        return shown

    def _find(self, resource: Resource[Row, Shown], resource_id: UUID) -> None:
        with transaction(self.tenant) as session:
            resource.find(session, resource_id)

    def _accept(self, resource: Resource[Row, Shown], resource_id: UUID, blob: StoredBlob) -> tuple[Shown, bool]:
        with taking_over(self.tenant, self.blobs, blob) as session:
            row = resource.lock(session, resource_id)
            replaced = digests_of(row) - {blob.digest}
            is_new = resource.accept(row, blob)
            session.flush()
            check_bytes(session, self.settings)
            session.refresh(row)
            shown = resource.show(row)
        if is_new:
            delete_unused(self.tenant.engine, self.blobs, replaced)
        return shown, is_new


def _uploads(tenant: TenantDep, blobs: BlobsDep, queue: QueueDep, settings: SettingsDep) -> Uploads:
    return Uploads(tenant, blobs, queue, settings)


UploadsDep = Annotated[Uploads, Depends(_uploads)]
