"""A long audit and a short one on one real worker: the short one is served in between; lost wake-ups are sent again."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from prepare import build_archive
from redis import Redis
from sqlalchemy import select

from app.db.session import transaction
from app.db.tables import ShardRow, WorkerRow
from app.domain.vocabulary import DeviceClass
from app.embedded.process import Child
from app.embedded.valkey import EmbeddedValkey
from app.queue import PRIORITIES, TaskName, shard_queue
from tests.api.running_api import Api
from tests.waiting import PATIENCE_SECONDS, until, upload, upload_run, wait_for

LONG, SHORT = 60, 4
PROTOCOL = {"micro_batch": 2, "measures": {"entropy": {}, "geometric_resilience": {"groups": ["flips"]}}}


@pytest.fixture(scope="module")
def own_broker(open_folder: Path) -> Iterator[str]:
    """Nobody else's messages."""
    server = EmbeddedValkey(open_folder / "fair-valkey")
    child = Child(server.child(open_folder / "fair-valkey.log"))
    child.wait_ready()
    yield server.url
    child.stop()


@pytest.fixture(scope="module")
def api(start_api: Callable[..., Api], own_broker: str) -> Api:
    return start_api(own_broker, SHARD_SAMPLES="2", RECONCILE_SECONDS="0.5")


@pytest.fixture(scope="module")
def worker(api: Api, own_broker: str) -> Iterator[subprocess.Popen[bytes]]:
    url = api.engine.url.render_as_string(hide_password=False)
    servers = {"DATABASE_URL": url, "BROKER_URL": own_broker, "BLOB_STORE": str(api.folder)}
    # One thread: on a machine that others use as well, threads that wait for each other are what is slow.
    environment = os.environ | servers | {"DEVICE": "cpu", "THREADS": "1"}
    process = subprocess.Popen([sys.executable, "-m", "app.cli", "worker"], env=environment)
    yield process
    process.terminate()
    process.wait(PATIENCE_SECONDS)


@pytest.fixture(scope="module")
def parts(api: Api, worker: subprocess.Popen[bytes]) -> dict[str, Any]:
    dataset = upload(api.client, "datasets", {"name": "faces"}, build_archive())
    model = upload_run(api.client, "cross_entropy_run1")
    assert model["speed"]["device_class"] == "cpu"
    assert model["speed"]["seconds_per_image"] > 0
    return {"dataset_id": dataset["id"], "model_ids": [model["id"]], "protocol": PROTOCOL}


def shards_of(api: Api, audit: dict[str, Any]) -> list[ShardRow]:
    with transaction(api.engine) as session:
        query = select(ShardRow).where(ShardRow.audit_id == UUID(audit["id"])).order_by(ShardRow.claimed_at)
        return list(session.scalars(query))


def test_a_worker_says_that_it_is_there(api: Api, parts: dict[str, Any], worker: subprocess.Popen[bytes]) -> None:
    with transaction(api.engine) as session:
        rows = session.scalars(select(WorkerRow)).all()
    assert [(row.device_class, row.name.endswith(f"/{worker.pid}")) for row in rows] == [("cpu", True)]


def done(api: Api, audit: dict[str, Any]) -> int:
    found: int = api.client.get(f"/v1/audits/{audit['id']}").json()["progress"]["done"]
    return found


def test_a_short_audit_does_not_wait_for_a_long_one(
    api: Api, parts: dict[str, Any], worker: subprocess.Popen[bytes]
) -> None:
    long = api.client.post("/v1/audits", json=parts | {"sample_limit": LONG}).json()
    until(lambda: done(api, long) >= 4)
    # The worker stands still meanwhile: it must not be through with the long one before the short one is there.
    worker.send_signal(signal.SIGSTOP)
    try:
        assert done(api, long) < LONG
        short = api.client.post("/v1/audits", json=parts | {"sample_limit": SHORT}).json()
    finally:
        worker.send_signal(signal.SIGCONT)
    ended = [wait_for(api.client, f"/v1/audits/{audit['id']}", "succeeded", "failed") for audit in (short, long)]
    assert [audit["status"] for audit in ended] == ["succeeded", "succeeded"]
    submitted = datetime.fromisoformat(short["created_at"])
    claims = [shard.claimed_at for shard in shards_of(api, long)]
    before = sum(claimed_at is not None and claimed_at < submitted for claimed_at in claims)
    assert 0 < before < LONG // 2 - 1
    # In turns: before the short audit's first shard and between its two the long one got no more than one.
    turns = sorted((shard.claimed_at, shard.audit_id) for audit in (long, short) for shard in shards_of(api, audit))
    places = [place for place, (_, audit_id) in enumerate(turns) if audit_id == UUID(short["id"])]
    assert places[0] <= before + 1
    assert places[1] - places[0] <= 2


def test_wake_ups_that_were_lost_are_sent_again(api: Api, parts: dict[str, Any], own_broker: str) -> None:
    """A broker that was emptied: the reconciler counts what waits in the database and sends as many, not more."""
    queue = f"{shard_queue(DeviceClass.CPU)}:{PRIORITIES[TaskName.RUN_SHARD]}"
    audit = api.client.post("/v1/audits", json=parts | {"sample_limit": 12}).json()
    with Redis.from_url(own_broker) as redis:
        redis.delete(queue)
    ended = wait_for(api.client, f"/v1/audits/{audit['id']}", "succeeded", "failed")
    assert ended["status"] == "succeeded"
    assert {shard.attempt for shard in shards_of(api, audit)} == {1}


def test_a_gpus_audit_is_left_alone_by_a_worker_on_the_cpu(api: Api, parts: dict[str, Any], own_broker: str) -> None:
    waiting = api.client.post("/v1/audits", json=parts | {"sample_limit": 6, "device_class": "gpu"}).json()
    other = api.client.post("/v1/audits", json=parts | {"sample_limit": 2}).json()
    assert wait_for(api.client, f"/v1/audits/{other['id']}", "succeeded", "failed")["status"] == "succeeded"
    assert api.client.get(f"/v1/audits/{waiting['id']}").json()["status"] == "queued"
    with Redis.from_url(own_broker) as redis:
        assert redis.llen(f"{shard_queue(DeviceClass.GPU)}:{PRIORITIES[TaskName.RUN_SHARD]}") == 3
    api.client.post(f"/v1/audits/{waiting['id']}/cancel")
