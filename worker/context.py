"""What a worker process holds: made once at its start, handed to every task."""

from dataclasses import dataclass, field

from sqlalchemy import Engine

from app.db.session import make_engine
from app.domain.vocabulary import DeviceClass
from app.queue import TaskQueue
from app.settings import Settings
from app.storage.blobs import BlobStore
from worker.runtime.device import device_class_of, pick_device
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

    @property
    def device_class(self) -> DeviceClass:
        """Of the audits whose shards it runs."""
        return device_class_of(pick_device(self.settings.device))

    @classmethod
    def from_settings(cls, settings: Settings, name: str) -> "WorkerContext":
        return cls(
            engine=make_engine(settings.database_url),
            blobs=BlobStore.from_settings(settings),
            queue=TaskQueue(settings.broker_url),
            settings=settings,
            name=name,
        )

    def close(self) -> None:
        self.queue.close()
        self.engine.dispose()
