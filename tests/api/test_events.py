"""Audits watched over real HTTP: what is told, and what a reconnection gets."""

import time
from collections.abc import Callable
from uuid import uuid4

import pytest
from sqlalchemy import func, text

from app.audits.following.events import EventId, events_after
from app.audits.following.progress import Snapshot
from app.audits.schemas import Progress
from app.db.presence import NOBODY
from app.db.session import transaction
from app.db.tables import WorkerRow
from app.domain.vocabulary import AuditStatus, DeviceClass
from tests.api.audit_rows import add_audit, set_audit, worked
from tests.api.running_api import Api, check_problem
from tests.api.watching import FAST, Watcher, finish, start
from tests.waiting import until


@pytest.fixture(scope="module")
def watched(start_api: Callable[..., Api], broker_url: str) -> Api:
    return start_api(broker_url, **FAST)


@pytest.fixture(scope="module")
def other(start_api: Callable[..., Api], broker_url: str, watched: Api) -> Api:
    """Another process on the same database."""
    return start_api(broker_url, DATABASE_URL=watched.engine.url.render_as_string(hide_password=False), **FAST)


def test_from_queued_to_the_end(watched: Api) -> None:
    audit_id = add_audit(watched.engine, shards=2)
    watcher = Watcher(watched, audit_id)
    until(lambda: watcher.names() == ["status"])
    set_audit(watched.engine, audit_id, AuditStatus.RUNNING, started_at=func.clock_timestamp())
    until(lambda: watcher.names() == ["status", "status", "progress"])
    worked(watched.engine, audit_id, 0, done=16, begin=4, until=0)
    until(lambda: len(watcher.events) == 4)
    worked(watched.engine, audit_id, 0, done=64, begin=16, until=0)
    until(lambda: len(watcher.events) == 5)
    finish(watched, audit_id)
    until(lambda: watcher.over)
    assert watcher.names() == ["status", "status", "progress", "progress", "progress", "status", "end"]
    assert [data["done"] for name, _, data in watcher.events if name == "progress"] == [0, 16, 64]
    assert [data["status"] for name, _, data in watcher.events if name == "status"] == [
        "queued",
        "running",
        "succeeded",
    ]
    last = watcher.events[3][2]
    assert (last["total"], last["unit"]) == (128, "samples")
    assert last["samples_per_second"] > 0
    assert last["eta_seconds"] > 0
    ids = [EventId.parse(id_) for _, id_, _ in watcher.events]
    assert ids == sorted({id_ for id_ in ids if id_ is not None})
    assert watcher.retry == 2000


def test_ended_audits_are_told_at_once(watched: Api) -> None:
    audit_id = start(watched)
    problem = {"code": "model-crashed-worker", "detail": "Three times."}
    set_audit(watched.engine, audit_id, AuditStatus.FAILED, problem=problem, finished_at=func.clock_timestamp())
    watcher = Watcher(watched, audit_id)
    until(lambda: watcher.over)
    assert watcher.names() == ["progress", "status", "end"]
    assert watcher.events[-1][2] == {"status": "failed", "problem": problem}


def test_another_process_goes_on_where_one_left_off(watched: Api, other: Api) -> None:
    audit_id = start(watched)
    first = Watcher(watched, audit_id)
    worked(watched.engine, audit_id, 0, done=16, begin=4, until=0)
    until(lambda: [data.get("done") for _, _, data in first.events][-1:] == [16])
    first.leave()
    second = Watcher(other, audit_id, last=first.events[-1][1])
    time.sleep(0.5)
    assert second.events == []
    worked(watched.engine, audit_id, 1, done=64, begin=4, until=0)
    until(lambda: second.names() == ["progress"])
    second.leave()
    finish(watched, audit_id)
    third = Watcher(watched, audit_id, last=second.events[-1][1])
    until(lambda: third.over)
    assert third.names() == ["status", "end"]
    told = [*first.events, *second.events, *third.events]
    assert len({id_ for _, id_, _ in told}) == len(told)
    after = {"Last-Event-ID": third.events[-1][1]}
    assert other.client.get(f"/v1/audits/{audit_id}/events", headers=after).status_code == 204


@pytest.mark.parametrize("last", ["", "x", "1.2", "9.0.0", "1.2.-3", "1.2.٣", "4.0.0", "1." + "9" * 40 + ".0"])
def test_ids_that_are_not_ours(watched: Api, last: str) -> None:
    audit_id = start(watched)
    headers = {b"Last-Event-ID": last.encode()}
    request = watched.client.build_request("GET", f"/v1/audits/{audit_id}/events", headers=headers)
    stream = watched.client.send(request, stream=True)
    assert stream.status_code == 200
    lines = stream.iter_lines()
    assert next(line for line in lines if line.startswith("event:")) in {"event: status", "event: progress"}
    stream.close()


def test_unknown_audits(watched: Api) -> None:
    check_problem(watched.client.get(f"/v1/audits/{uuid4()}/events"), 404, "not-found")
    check_problem(watched.client.get("/v1/audits/x/events"), 404, "not-found")
    audit_id = start(watched)
    headers = {"Last-Event-ID": "1" * 101}
    check_problem(watched.client.get(f"/v1/audits/{audit_id}/events", headers=headers), 422, "validation-error")


def test_silence_is_filled_with_comments(watched: Api) -> None:
    watcher = Watcher(watched, start(watched))
    until(lambda: watcher.comments > 3)
    assert len(watcher.events) == 2
    watcher.leave()


def test_workers_that_are_lost_later(watched: Api) -> None:
    """And that come back; who comes while none is there reads it in the audit's notes."""

    def seen(ago: str) -> None:
        with transaction(watched.engine) as session:
            session.execute(text(f"UPDATE workers SET seen_at = clock_timestamp() - interval '{ago}'"))

    with transaction(watched.engine) as session:
        session.add(WorkerRow(name="of this test", device_class=DeviceClass.CPU, seen_at=func.clock_timestamp()))
    watcher = Watcher(watched, start(watched))
    until(lambda: watcher.names() == ["status", "progress"])
    seen("2 minutes")
    until(lambda: len(watcher.events) == 3)
    seen("0 seconds")
    until(lambda: len(watcher.events) == 4)
    told = watcher.events[2:]
    watcher.leave()
    with transaction(watched.engine) as session:
        session.execute(text("DELETE FROM workers"))
    assert [(name, id_) for name, id_, _ in told] == [("note", "")] * 2
    assert [data["note"] for *_, data in told] == [NOBODY, None]


def snapshot(attempts: int, done: int, status: AuditStatus = AuditStatus.RUNNING) -> Snapshot:
    progress = Progress(done=done, total=100, samples_per_second=None, eta_seconds=None)
    return Snapshot(uuid4(), status, None, attempts, progress)


@pytest.mark.parametrize(
    ("last", "now", "told"),
    [
        ("2.3.40", (3, 40), []),
        ("2.3.40", (3, 41), ["progress"]),
        ("2.3.40", (3, 20), []),  # a shard was given back: told with its next attempt
        ("2.3.40", (4, 20), ["progress"]),
        ("2.3.40", (1, 0), ["progress"]),  # planned anew
        ("0.0.0", (1, 5), ["status", "progress"]),
        ("1.0.0", (1, 5), ["progress"]),
    ],
)
def test_what_is_news(last: str, now: tuple[int, int], told: list[str]) -> None:
    assert [event.name for event in events_after(EventId.parse(last), snapshot(*now))] == told
