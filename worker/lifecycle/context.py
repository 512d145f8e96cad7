"""What a worker process holds: made once at its start, handed to every task."""

import threading
from dataclasses import dataclass

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from app.db.locking import lock_digests
from app.db.session import make_engine
from app.domain.vocabulary import DeviceClass
from app.errors import TransientFailure
from app.queue import TaskQueue
from app.settings import Settings
from app.storage.blobs import BlobStore
from worker.machine.device_class import device_class
from worker.supervision.children import Children


@dataclass(frozen=True)
class WorkerContext:
    """Connections and settings of this process."""

    engine: Engine
    blobs: BlobStore
    queue: TaskQueue
    settings: Settings
    children: Children
    name: str
    stopping: threading.Event
    """Set once the process is asked to end: whatever runs gives its work back."""

    @property
    def device_class(self) -> DeviceClass:
        """Of the audits whose shards it runs."""
        return device_class(self.settings.device)

    @classmethod
    def from_settings(cls, settings: Settings, name: str, stopping: threading.Event | None = None) -> "WorkerContext":
        return cls(
            engine=make_engine(settings.database_url),
            blobs=BlobStore.from_settings(settings),
            queue=TaskQueue(settings.broker_url, settings.broker_ca_file),
            settings=settings,
            children=Children(settings),
            name=name,
            stopping=stopping or threading.Event(),
        )

    def keep_blob(self, session: Session, digest: str) -> None:
        """Before the commit that refers to it: who sweeps orphans waits, or was faster. Raises TransientFailure."""
        lock_digests(session, {digest})
        if not self.blobs.exists(digest):
            raise TransientFailure("storage-unavailable", "The blob was deleted meanwhile.")

    def close(self) -> None:
        self.children.close()
        self.queue.close()
        self.engine.dispose()
