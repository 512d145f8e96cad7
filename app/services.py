"""The parts that routes and guards work with, connected."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass

from sqlalchemy import Engine

from app.access.key_ring import KeyRing
from app.access.rate_limits import RateLimiter
from app.access.service import KeySigner
from app.access.vault import Vault
from app.audits.following.partial import PartialResults
from app.audits.following.watch import AuditWatch
from app.db.session import make_engine
from app.http.dependencies import SESSIONS
from app.http.outward import Outward
from app.http.streams import Streams
from app.observability.tracing import start_tracing, stop_tracing
from app.queue import TaskQueue
from app.reports.renderer import Renderer
from app.settings import Settings
from app.storage.blobs import BlobStore


@dataclass(frozen=True)
class Services:
    """What routes and guards work with, in ``app.state.services`` while the application runs."""

    engine: Engine
    key_ring: KeyRing
    vault: Vault
    rate_limiter: RateLimiter
    session_limit: asyncio.Semaphore
    streams: Streams
    queue: TaskQueue
    watch: AuditWatch
    outward: Outward
    renderer: Renderer
    partial_results: PartialResults
    blobs: BlobStore


def make_services(settings: Settings, ending: ExitStack) -> Services:
    """All parts, connected; ``ending`` closes them, the last one first."""
    start_tracing(settings, "api")
    ending.callback(stop_tracing)
    engine = make_engine(settings.database_url)
    ending.callback(engine.dispose)
    queue = TaskQueue(settings.broker_url, settings.broker_ca_file)
    ending.callback(queue.close)
    entrance = ThreadPoolExecutor(1, thread_name_prefix="entrance")
    rate_limiter = RateLimiter(entrance, settings)
    ending.callback(rate_limiter.close)
    ending.callback(entrance.shutdown, wait=False, cancel_futures=True)
    outward = Outward()
    partial_results = PartialResults(settings.max_partial_samples)
    ending.callback(partial_results.close)
    return Services(
        engine=engine,
        key_ring=KeyRing(engine, KeySigner.of(settings), entrance),
        vault=Vault.of(settings),
        rate_limiter=rate_limiter,
        session_limit=asyncio.Semaphore(SESSIONS),
        streams=Streams(),
        queue=queue,
        watch=AuditWatch(engine, settings.watch_seconds, settings.watch_heartbeat_seconds),
        outward=outward,
        renderer=Renderer(outward),
        partial_results=partial_results,
        blobs=BlobStore.from_settings(settings),
    )
