"""Speed and time to go: of several workers, after a retry, after a pause and at the end."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func

from app.domain.vocabulary import AuditStatus, ShardStatus
from tests.api.audit_rows import add_audit, set_audit, set_shard, worked
from tests.api.running_api import Api


def running(api: Api, *, shards: int, begun: float, now: datetime | None = None) -> UUID:
    """One that was started so many seconds before ``now``."""
    audit_id = add_audit(api.engine, shards=shards)
    started = (now or datetime.now(UTC)) - timedelta(seconds=begun)
    set_audit(api.engine, audit_id, AuditStatus.RUNNING, started_at=started)
    return audit_id


def progress(api: Api, audit_id: UUID) -> dict[str, Any]:
    found: dict[str, Any] = api.client.get(f"/v1/audits/{audit_id}").json()["progress"]
    return found


def about(expected: float, *, begun: float, over: float) -> Any:
    """Speeds are of the time until now: what passed since the rows were made, ``begun``, is not the service's fault."""
    return pytest.approx(expected, rel=0.02 + (time.monotonic() - begun) / over)


def test_nothing_is_known_yet(api: Api) -> None:
    audit_id = add_audit(api.engine, shards=2)
    nothing = {"done": 0, "total": 128, "unit": "samples", "samples_per_second": None, "eta_seconds": None}
    assert progress(api, audit_id) == nothing
    set_audit(api.engine, audit_id, AuditStatus.RUNNING, started_at=func.clock_timestamp())
    worked(api.engine, audit_id, 0, done=0, begin=0, until=0)
    assert progress(api, audit_id) == nothing


def test_workers_add_up(api: Api) -> None:
    begun = time.monotonic()
    audit_id = running(api, shards=100, begun=600)
    for ordinal in range(4):
        worked(api.engine, audit_id, ordinal, done=30, begin=60, until=0)
    found = progress(api, audit_id)
    assert found["done"] == 120
    assert found["samples_per_second"] == about(4 * 30 / 60, begun=begun, over=60)
    assert found["eta_seconds"] == about((6400 - 120) / 2, begun=begun, over=60)


def test_one_worker_after_another_is_as_fast_as_one(api: Api) -> None:
    begun, now = time.monotonic(), datetime.now(UTC)
    audit_id = running(api, shards=10, begun=40, now=now)
    worked(api.engine, audit_id, 0, done=64, begin=40, until=20, now=now)
    worked(api.engine, audit_id, 1, done=32, begin=20, until=10, now=now)
    assert progress(api, audit_id)["samples_per_second"] == about(3.2, begun=begun, over=30)


def test_a_slow_beginning_and_a_pause_do_not_spoil_the_estimate(api: Api) -> None:
    begun = time.monotonic()
    audit_id = running(api, shards=100, begun=3600)
    worked(api.engine, audit_id, 0, done=64, begin=3600, until=3500)
    worked(api.engine, audit_id, 1, done=60, begin=60, until=0)
    found = progress(api, audit_id)
    assert found["samples_per_second"] == about(1, begun=begun, over=60)
    assert found["eta_seconds"] == about(6400 - 124, begun=begun, over=60)


def test_what_a_lost_attempt_did_counts_no_more(api: Api) -> None:
    begun = time.monotonic()
    audit_id = running(api, shards=2, begun=50)
    worked(api.engine, audit_id, 0, done=60, begin=50, until=10)
    before = progress(api, audit_id)
    worked(api.engine, audit_id, 0, done=10, begin=10, until=0)
    # As if it were done: what a running one does until somebody looks is taken for as much again.
    set_shard(api.engine, audit_id, 0, status=ShardStatus.DONE)
    after = progress(api, audit_id)
    elapsed = time.monotonic() - begun
    assert (before["done"], after["done"]) == (60, 10)
    assert 10 / (50 + elapsed) <= after["samples_per_second"] <= 10 / 50


def test_all_workers_gone(api: Api) -> None:
    audit_id = running(api, shards=2, begun=500)
    worked(api.engine, audit_id, 0, done=64, begin=500, until=400)
    worked(api.engine, audit_id, 1, done=10, begin=400, until=90)
    found = progress(api, audit_id)
    assert (found["samples_per_second"], found["eta_seconds"]) == (0, None)


def test_all_done_but_the_results(api: Api) -> None:
    audit_id = running(api, shards=1, begun=500)
    worked(api.engine, audit_id, 0, done=64, begin=500, until=400)
    assert progress(api, audit_id)["eta_seconds"] == 0


def test_ended_audits_tell_their_mean_speed(api: Api) -> None:
    now = datetime.now(UTC)
    audit_id = running(api, shards=1, begun=128, now=now)
    worked(api.engine, audit_id, 0, done=64, begin=128, until=0, now=now)
    set_audit(api.engine, audit_id, AuditStatus.SUCCEEDED, finished_at=now)
    found = progress(api, audit_id)
    assert found["samples_per_second"] == pytest.approx(0.5, rel=0.02)
    assert found["eta_seconds"] is None
    listed = api.client.get("/v1/audits", params={"status": "succeeded"}).json()["items"]
    assert found in [audit["progress"] for audit in listed]


def test_a_shard_of_before_the_upgrade(api: Api) -> None:
    audit_id = running(api, shards=2, begun=50)
    set_shard(api.engine, audit_id, 0, status=ShardStatus.DONE, samples_done=64, attempt=1)
    assert progress(api, audit_id)["done"] == 64
