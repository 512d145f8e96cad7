"""What a worker process holds: made once at its start, handed to every task."""

from dataclasses import dataclass, field

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from app.db.references import lock_digests
from app.db.session import make_engine
from app.errors import TransientFailure
from app.queue import TaskQueue
from app.settings import Settings
from app.storage.blobs import BlobStore
from worker.runtime.model_cache import ModelCache


@dataclass(frozen=True)
class WorkerContext:
    """Connections and settings of this process."""

    engine: Engine
    blobs: BlobStore
    queue: TaskQueue
    settings: Settings
    name: str = "worker"
    models: ModelCache = field(default_factory=ModelCache)

    @classmethod
    def from_settings(cls, settings: Settings, name: str) -> "WorkerContext":
        return cls(
            engine=make_engine(settings.database_url),
            blobs=BlobStore.from_settings(settings),
            queue=TaskQueue(settings.broker_url),
            settings=settings,
            name=name,
        )

    def keep_blob(self, session: Session, digest: str) -> None:
        """Before the commit that refers to it: who sweeps orphans waits, or was faster. Raises TransientFailure."""
        lock_digests(session, {digest})
        if not self.blobs.exists(digest):
            raise TransientFailure("storage-unavailable", "The blob was deleted meanwhile.")

    def close(self) -> None:
        self.queue.close()
        self.engine.dispose()
