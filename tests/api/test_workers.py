"""A worker that is missing is seen wherever somebody would wait for it."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import delete, func

from app.db.session import transaction
from app.db.tables import WorkerRow
from app.doctor.findings import Verdict
from app.doctor.services import check_database
from app.domain.vocabulary import DeviceClass
from app.settings import Settings
from tests.api.audit_rows import add_audit
from tests.api.running_api import Api

Seen = Callable[[str, DeviceClass, float], None]


@pytest.fixture
def seen(api: Api) -> Seen:
    """A worker that said so many seconds ago that it is there; others are forgotten."""
    with transaction(api.engine) as session:
        session.execute(delete(WorkerRow))

    def said(name: str, device_class: DeviceClass, seconds: float) -> None:
        when = func.clock_timestamp() - timedelta(seconds=seconds)
        with transaction(api.engine) as session:
            session.add(WorkerRow(name=name, device_class=device_class, seen_at=when))

    return said


def told(api: Api, audit_id: object) -> list[str]:
    notes: list[str] = api.client.get(f"/v1/audits/{audit_id}").json()["notes"]
    return notes


def doctor(api: Api) -> Verdict:
    url = api.engine.url.render_as_string(hide_password=False)
    found = {finding.check: finding for finding in check_database(Settings(database_url=url))}
    return found["workers"].verdict


def test_nobody_is_there(api: Api, seen: Seen) -> None:
    audit_id = add_audit(api.engine, shards=1)
    seen("lost/1", DeviceClass.CPU, 90)
    [worker] = api.client.get("/v1/workers").json()["items"]
    assert (worker["name"], worker["device_class"], worker["status"]) == ("lost/1", "cpu", "missing")
    ready = api.client.get("/readyz")
    assert ready.status_code == 200
    assert ready.json()["notes"] == told(api, audit_id)
    assert told(api, audit_id)[0].startswith("No worker is there")
    assert doctor(api) is Verdict.WARN


def test_one_of_another_class_is_there(api: Api, seen: Seen) -> None:
    audit_id = add_audit(api.engine, shards=1)
    seen("box/1", DeviceClass.GPU, 5)
    assert api.client.get("/readyz").json() == {"status": "ok"}
    assert told(api, audit_id)[0].startswith("No cpu worker is there, only gpu")
    assert doctor(api) is Verdict.OK
    seen("box/2", DeviceClass.CPU, 5)
    assert told(api, audit_id) == []
    listed = api.client.get("/v1/workers", params={"limit": 1}).json()
    assert [one["name"] for one in listed["items"]] == ["box/1"]
    rest = api.client.get("/v1/workers", params={"cursor": listed["next_cursor"]}).json()["items"]
    assert [(one["name"], one["status"]) for one in rest] == [("box/2", "present")]
