"""Workers that do all that a worker does with database and broker, and sleep where it would compute."""

import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.synchronize import Event
from typing import Any
from uuid import UUID

import numpy as np
from celery import Celery
from kombu.messaging import Consumer
from sqlalchemy import create_engine

from app.db.session import transaction
from app.domain.protocol import Protocol
from app.domain.vocabulary import DeviceClass
from app.queue import configure, listen_to
from benchmarks.scale_world import default_protocol
from worker.shards.store import (
    Claim,
    all_shards_done,
    claim_next_shard,
    extend_lease,
    read_inputs,
    read_samples,
    save_scores,
)

MAP_SIDE = 7
CLASSES = 2
LEASE_SECONDS = 60.0

Row = dict[str, Any]


@dataclass(frozen=True)
class Load:
    """What every worker of a process does."""

    database_url: str
    broker_url: str
    workers: int
    shard_seconds: float
    heartbeat_seconds: float


@dataclass
class Timings:
    """When each transaction ended (monotonic clock) and how many seconds it took, by what it does."""

    taken: dict[str, list[tuple[float, float]]] = field(default_factory=dict)

    @contextmanager
    def measured(self, name: str) -> Iterator[None]:
        started = time.monotonic()
        yield
        ended = time.monotonic()
        self.taken.setdefault(name, []).append((ended, ended - started))


class SleepingWorker(threading.Thread):
    """One worker process's worth of messages and transactions."""

    def __init__(self, number: int, load: Load, shared: "_Shared") -> None:
        super().__init__(daemon=True)
        self._number = number
        self._load = load
        self._shared = shared
        self._random = random.Random(number)
        self.timings = Timings()

    def run(self) -> None:
        """Late acknowledgement and one message at a time, as the real worker has them."""
        shared = self._shared
        queues = list(shared.celery.amqp.queues.values())
        with shared.celery.connection_for_read() as connection:
            options = {"accept": ["json"], "on_message": self._on_message, "prefetch_count": 1}
            consumer = Consumer(connection, queues, **options)  # type: ignore[no-untyped-call]
            with consumer:
                while not shared.ended.is_set():
                    try:
                        connection.drain_events(timeout=1)
                    except TimeoutError:
                        continue

    def _on_message(self, message: Any) -> None:
        """A doorbell: it says only that there is work."""
        self._run_next_shard()
        message.ack()

    def _run_next_shard(self) -> None:
        engine, measured = self._shared.engine, self.timings.measured
        with measured("claim"), transaction(engine) as session:
            claim = claim_next_shard(session, DeviceClass.CPU, f"worker {self._number}", LEASE_SECONDS)
        if claim is None:
            return
        with measured("read"), transaction(engine) as session:
            samples = read_samples(session, read_inputs(session, claim.audit_id).audit, claim.start, claim.stop)
        self._sleep(claim)
        rows = self._shared.rows(claim, [sample.id for sample in samples])
        with measured("save"), transaction(engine) as session:
            save_scores(session, claim, rows)
        with measured("check"), transaction(engine) as session:
            all_shards_done(session, claim.audit_id)

    def _sleep(self, claim: Claim) -> None:
        """Between half and one and a half times the mean, with heart-beats."""
        total = self._load.shard_seconds * self._random.uniform(0.5, 1.5)
        if "save" not in self.timings.taken:
            total *= self._random.random()  # the rest of a shard that began earlier: workers are never in step
        until = time.monotonic() + total
        while (left := until - time.monotonic()) > 0:
            time.sleep(min(left, self._load.heartbeat_seconds))
            share = min(1.0, 1 - (until - time.monotonic()) / total)
            done = int((claim.stop - claim.start) * share)
            with self.timings.measured("beat"), transaction(self._shared.engine) as session:
                extend_lease(session, claim, done, LEASE_SECONDS)


class _Shared:
    """What the workers of one process share, to save memory: a pool with a connection for each, and made-up scores."""

    def __init__(self, load: Load, ended: Event) -> None:
        self.engine = create_engine(load.database_url, pool_pre_ping=True, pool_size=load.workers, max_overflow=0)
        held = [self.engine.connect() for _ in range(load.workers)]  # as every worker process holds one
        for connection in held:
            connection.close()
        self.celery = configure(Celery("simulation", set_as_current=False), load.broker_url)
        listen_to(self.celery, DeviceClass.CPU)
        self.ended = ended
        self._payloads = [_payload(default_protocol(), np.random.default_rng(seed)) for seed in range(16)]

    def rows(self, claim: Claim, sample_ids: list[UUID]) -> list[Row]:
        place = {"audit_id": claim.audit_id, "model_ordinal": 0}
        return [
            self._payloads[number % len(self._payloads)]
            | place
            | {"ordinal": claim.start + number, "sample_id": sample_id}
            for number, sample_id in enumerate(sample_ids)
        ]


def _payload(protocol: Protocol, random: np.random.Generator) -> Row:
    """As large as a real row, and as hard to compress."""
    columns, conditions = len(protocol.columns()), 1 + len(protocol.conditions())
    return {
        "scores": random.random(columns).tolist(),
        "controls": [None] * columns,
        "undefined": None,
        "predicted": random.integers(0, CLASSES, conditions).tolist(),
        "class_scores": random.random(conditions * CLASSES).tolist(),
        "pairs": None,
        "maps": random.random(conditions * MAP_SIDE**2, dtype=np.float32).tobytes(),
        "map_height": MAP_SIDE,
        "map_width": MAP_SIDE,
    }


def run_workers(load: Load, ready: Any, ended: Event, results: Any) -> None:
    """A process of many workers; puts what it measured into ``results`` when ``ended`` is set."""
    threading.stack_size(512 * 1024)
    shared = _Shared(load, ended)
    workers = [SleepingWorker(number, load, shared) for number in range(load.workers)]
    ready.wait()
    for worker in workers:
        worker.start()
    ended.wait()
    taken: dict[str, list[tuple[float, float]]] = {}
    for worker in workers:  # those in mid-shard are left to end with the process
        for name, seconds in list(worker.timings.taken.items()):
            taken.setdefault(name, []).extend(seconds)
    results.put(taken)
