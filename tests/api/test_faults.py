"""Parts that are away, bugs and full disks: each has its own answer, and the rest goes on."""

import asyncio
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy.exc import IntegrityError
from starlette.types import Receive, Scope, Send

from app.embedded.ports import free_port
from app.http.guards.request_context import RequestContext
from tests.api.running_api import Api, check_problem
from tests.waiting import until


@pytest.fixture(scope="module")
def without_broker(start_api: Callable[..., Api]) -> Api:
    return start_api(f"redis://127.0.0.1:{free_port()}/0", RECONCILE_SECONDS="3600")


class TestBrokerAway:
    def test_it_is_alive_but_not_ready(self, without_broker: Api) -> None:
        assert without_broker.client.get("/livez").status_code == 200
        check_problem(without_broker.client.get("/readyz"), 503, "broker-unavailable")

    def test_uploads_are_taken(self, without_broker: Api) -> None:
        model = without_broker.register()
        answer = without_broker.client.put(model["content_url"], content=b"weights")
        assert (answer.status_code, answer.json()["status"]) == (202, "validating")

    def test_metrics_tell_what_can_be_told(self, without_broker: Api) -> None:
        answer = without_broker.client.get("/metrics")
        assert answer.status_code == 200
        assert 'salience_audit_shards{status="queued"} 0.0' in answer.text
        assert "salience_audit_queue_depth" not in answer.text


def test_the_blob_store_is_away(start_api: Callable[..., Api], broker_url: str) -> None:
    api = start_api(broker_url, RECONCILE_SECONDS="3600")
    model = api.register()
    until(lambda: api.client.get("/readyz").status_code == 200)
    until((api.folder / "owner").exists)  # what housekeeping writes at the start
    for path in sorted(api.folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    api.folder.rmdir()
    api.folder.write_text("a file where the folder was")
    check_problem(api.client.get("/readyz"), 503, "storage-unavailable")
    check_problem(api.client.put(model["content_url"], content=b"weights"), 503, "storage-unavailable")
    assert api.client.get(f"/v1/models/{model['id']}").json()["status"] == "awaiting_content"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "small"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)]
    if subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("only root can mount a small disk")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk(start_api: Callable[..., Api], broker_url: str, small_disk: Path) -> None:
    api = start_api(broker_url, BLOB_STORE=str(small_disk), RECONCILE_SECONDS="3600")
    model = api.register()
    for size in (10_000_000, 30_000_000):
        answer = api.client.put(model["content_url"], content=b"x" * size)
        check_problem(answer, 507, "insufficient-storage")
        assert not list((small_disk / "quarantine").glob("*"))
    assert api.client.put(model["content_url"], content=b"x" * 1_000_000).status_code == 202
    assert api.client.get("/readyz").status_code == 200


def test_a_bug_is_a_problem_document_without_its_text(caplog: pytest.LogCaptureFixture) -> None:
    async def buggy(scope: Scope, receive: Receive, send: Send) -> None:
        raise ZeroDivisionError("secret")

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(RequestContext(buggy))
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return await client.get("/", headers={"X-Request-ID": "find-me"})

    answer = asyncio.run(ask())
    check_problem(answer, 500, "internal-error")
    assert "secret" not in answer.text
    assert "find-me" in caplog.text
    assert "ZeroDivisionError" in caplog.text


def test_a_lost_race_is_a_conflict() -> None:
    from fastapi import FastAPI

    from app.http.failures import install_handlers

    app = FastAPI()
    install_handlers(app)

    @app.get("/")
    def lose() -> None:
        raise IntegrityError("INSERT", {}, Exception("foreign key"))

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(RequestContext(app))
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return await client.get("/")

    assert "foreign key" not in check_problem(asyncio.run(ask()), 409, "changed-meanwhile")
