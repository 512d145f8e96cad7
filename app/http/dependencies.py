"""What routes ask for; made once by the lifespan, handed out here."""

from collections.abc import Iterator
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from app.queue import TaskQueue
from app.settings import Settings
from app.storage.blobs import BlobStore


def _session(request: Request) -> Iterator[Session]:
    """Never commits: a route that writes does so in plain sight, before it answers."""
    with Session(request.app.state.engine, expire_on_commit=False) as session:
        yield session


def _engine(request: Request) -> Engine:
    engine: Engine = request.app.state.engine
    return engine


def _queue(request: Request) -> TaskQueue:
    queue: TaskQueue = request.app.state.queue
    return queue


def _blobs(request: Request) -> BlobStore:
    blobs: BlobStore = request.app.state.blobs
    return blobs


def _settings(request: Request) -> Settings:
    settings: Settings = request.app.state.settings
    return settings


SessionDep = Annotated[Session, Depends(_session)]
EngineDep = Annotated[Engine, Depends(_engine)]
QueueDep = Annotated[TaskQueue, Depends(_queue)]
BlobsDep = Annotated[BlobStore, Depends(_blobs)]
SettingsDep = Annotated[Settings, Depends(_settings)]
