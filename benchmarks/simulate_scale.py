"""How far one Postgres and one Valkey carry: 1 to 1,000 workers whose shards only sleep.

``python -m benchmarks.simulate_scale`` takes under five minutes. It starts servers of its own; the workers claim,
report and save through the worker's own SQL and take messages through Celery's own transport.
"""

import argparse
import multiprocessing
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.db.session import transaction
from app.domain.vocabulary import DeviceClass
from app.housekeeping.reconciler import Reconciler
from app.metrics.repository import read_snapshot
from app.queue import MAX_WAKE_UPS, TaskQueue
from benchmarks.scale_reads import measure_reduce
from benchmarks.scale_report import Backlog, Plan, Round, Taken, facts, table
from benchmarks.scale_workers import LEASE_SECONDS, Load, run_workers
from benchmarks.scale_world import World, end_audit, start_audit, world
from worker.shards.store import claim_next_shard

RECONCILE_SECONDS = 5.0


def main() -> None:
    """Print the table."""
    asked = _arguments()
    common = {"heartbeat_seconds": asked.heartbeat_seconds, "seconds": asked.seconds, "processes": asked.processes}
    plans = [
        Plan(workers=workers, shard_seconds=asked.shard_seconds, shard_samples=asked.shard_samples, **common)
        for workers in asked.workers
    ]
    plans.append(Plan(workers=4, shard_seconds=0, shard_samples=64, **common))
    rounds = []
    with world(asked.samples) as servers:
        for plan in plans:
            rounds.append(_measure(servers, plan))
            print(f"{plan.workers} workers: {rounds[-1].count('save') / rounds[-1].seconds:.2f} shards/s")
        reduce = measure_reduce(servers)
        backlog = _backlog(servers, asked.backlog)
    print(table(rounds))
    print(facts(backlog, reduce))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 8, 64, 1000])
    parser.add_argument("--shard-seconds", type=float, default=30.0, help="mean; each takes half to one and a half")
    parser.add_argument("--heartbeat-seconds", type=float, default=5.0)
    parser.add_argument("--shard-samples", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=30.0, help="measured in a round, after its warm-up")
    parser.add_argument("--processes", type=int, default=4, help="that the workers' threads are spread over")
    parser.add_argument("--samples", type=int, default=250_000, help="of the data set")
    parser.add_argument("--backlog", type=int, default=156_250, help="waiting shards of the reconciler's round")
    return parser.parse_args()


def _measure(servers: World, plan: Plan) -> Round:
    audit_id = start_audit(servers, plan.shards, plan.shard_samples)
    queue = TaskQueue(servers.broker_url)
    queue.wake_for_shards(DeviceClass.CPU, plan.shards)
    with _workers(servers, plan) as (ended, results, processes):
        time.sleep(plan.warm_up_seconds)
        before, start = _used(servers), time.monotonic()
        reconciler_ms, scrape_ms = _reconcile(servers, queue, plan.seconds)
        stop, after = time.monotonic(), _used(servers)
        connections = servers.scalar("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
        ended.set()
        found: list[Taken] = [results.get(timeout=60) for _ in range(processes)]
    servers.broker.flushall()
    end_audit(servers, audit_id)
    queue.close()
    used = {name: after[name] - before[name] for name in after}
    taken = _within(found, start, stop)
    return Round(plan, stop - start, reconciler_ms, scrape_ms, connections, taken, used)


def _within(found: list[Taken], start: float, stop: float) -> Taken:
    names = {name for taken in found for name in taken}
    return {
        name: [pair for taken in found for pair in taken.get(name, []) if start <= pair[0] <= stop] for name in names
    }


@contextmanager
def _workers(servers: World, plan: Plan) -> Iterator[tuple[Any, Any, int]]:
    """Processes whose threads wait for messages; killed at the end, in mid-shard or not."""
    context = multiprocessing.get_context("spawn")
    number = min(plan.processes, plan.workers)
    ready, ended, results = context.Barrier(number + 1), context.Event(), context.Queue()
    shares = [plan.workers // number + (place < plan.workers % number) for place in range(number)]
    loads = [
        Load(servers.database_url, servers.broker_url, share, plan.shard_seconds, plan.heartbeat_seconds)
        for share in shares
    ]
    processes = [context.Process(target=run_workers, args=(load, ready, ended, results)) for load in loads]
    for process in processes:
        process.start()
    try:
        ready.wait(timeout=120)
        yield ended, results, number
    finally:
        for process in processes:
            process.kill()
            process.join()


def _used(servers: World) -> dict[str, float]:
    """Totals so far."""
    broker = servers.broker_facts()
    return {
        "score_bytes": servers.scalar("SELECT pg_total_relation_size('sample_scores')"),
        "shard_bytes": servers.scalar("SELECT pg_total_relation_size('shards')"),
        "wal_bytes": servers.scalar("SELECT pg_current_wal_lsn() - '0/0'"),
        "postgres_seconds": servers.postgres_seconds(),
        "broker_seconds": broker["seconds"],
        "broker_commands": broker["commands"],
    }


def _reconcile(servers: World, queue: TaskQueue, seconds: float) -> tuple[list[float], list[float]]:
    """The real reconciler and the real scrape, each as often as in service; their milliseconds."""
    reconciler = Reconciler(servers.engine, queue)
    until = time.monotonic() + seconds
    reconciler_ms, scrape_ms = [], []
    while (left := until - time.monotonic()) > 0:
        reconciler_ms.append(_timed(reconciler.reconcile))
        scrape_ms.append(_timed(lambda: _scrape(servers)))
        time.sleep(max(0.0, min(left, RECONCILE_SECONDS)))
    return reconciler_ms, scrape_ms


def _timed(step: Callable[[], object]) -> float:
    started = time.perf_counter()
    step()
    return (time.perf_counter() - started) * 1000


def _scrape(servers: World) -> None:
    with Session(servers.engine) as session:
        read_snapshot(session)


def _backlog(servers: World, shards: int) -> Backlog:
    """As many shards as a very large audit has wait: the worst of the claim, the reconciler and the scrape.

    The reconciler's first round finds no wake-up and sends as many as it may; the second sends none.
    """
    began = time.monotonic()
    audit_id = start_audit(servers, shards, 64)
    seconds_to_write = time.monotonic() - began
    with servers.engine.begin() as connection:
        connection.execute(text("UPDATE shards SET updated_at = now() - interval '1 hour' WHERE status = 'queued'"))
        connection.execute(text("ANALYZE shards"))
    empty = servers.broker_facts()["bytes"]
    queue = TaskQueue(servers.broker_url)
    began = time.monotonic()
    queue.wake_for_shards(DeviceClass.CPU, MAX_WAKE_UPS)
    sends_per_second = MAX_WAKE_UPS / (time.monotonic() - began)
    message_bytes = (servers.broker_facts()["bytes"] - empty) / MAX_WAKE_UPS
    servers.broker.flushall()
    reconciler = Reconciler(servers.engine, queue)
    first, idle = _timed(reconciler.reconcile), _timed(reconciler.reconcile)
    scrape = min(_timed(lambda: _scrape(servers)) for _ in range(3))
    claim = min(_timed(lambda: _claim(servers)) for _ in range(3))
    queue.close()
    row_bytes = [
        servers.scalar(f"SELECT pg_total_relation_size('{table}')::float / count(*) FROM {table}")
        for table in ("samples", "shards")
    ]
    end_audit(servers, audit_id)
    return Backlog(shards, seconds_to_write, sends_per_second, message_bytes, first, idle, scrape, claim, *row_bytes)


def _claim(servers: World) -> None:
    with transaction(servers.engine) as session:
        claim_next_shard(session, DeviceClass.CPU, "backlog", LEASE_SECONDS)


if __name__ == "__main__":
    main()
