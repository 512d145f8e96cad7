"""A registry that takes a call and says nothing keeps its own tenant's calls waiting, and no other request."""

import asyncio
import socket
import threading
import time
from collections.abc import Callable
from uuid import uuid4

import httpx
import pytest
from cryptography.fernet import Fernet

from app.errors import Unavailable
from app.http import outward as module
from app.http.outward import AT_ONCE, AT_ONCE_OF_A_TENANT, Outward
from tests.api.running_api import Api
from tests.keys import HEADERS
from tests.waiting import PATIENCE_SECONDS

SLOTS = 24
"""Of the database's, for all requests of a process."""


def test_other_requests_go_on(start_api: Callable[..., Api], broker_url: str) -> None:
    """More tests of a connection than there are slots, all of which hang."""
    api = start_api(broker_url, ENCRYPTION_KEYS=Fernet.generate_key().decode(), ALLOWED_NETWORKS="127.0.0.1/32")
    silent = socket.create_server(("127.0.0.1", 0), backlog=SLOTS)
    url = f"http://127.0.0.1:{silent.getsockname()[1]}"
    made = api.client.post("/v1/connections", json={"name": "silent", "kind": "http", "url": url})
    assert made.status_code == 201, made.text

    async def ask() -> tuple[list[float], list[httpx.Response]]:
        base_url = api.client.base_url
        async with httpx.AsyncClient(base_url=base_url, headers=HEADERS, timeout=PATIENCE_SECONDS) as client:
            test = f"/v1/connections/{made.json()['id']}/test"
            hanging = [asyncio.create_task(client.post(test)) for _ in range(SLOTS + 2)]
            await asyncio.sleep(1)
            waits = []
            for _ in range(5):
                begun = time.monotonic()
                assert (await client.get("/v1/models")).status_code == 200
                waits.append(time.monotonic() - begun)
            assert not any(task.done() for task in hanging)
            silent.close()
            return waits, await asyncio.gather(*hanging)

    waits, tried = asyncio.run(ask())
    assert max(waits) < 5, waits
    assert {answer.status_code for answer in tried} == {200}
    assert {answer.json()["works"] for answer in tried} == {False}


def test_a_tenant_has_so_many_calls_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that find no place are told so; another tenant's call goes on at once."""
    monkeypatch.setattr(module, "WAIT_SECONDS", 0.2)
    answered, first, second = threading.Event(), uuid4(), uuid4()

    async def ask() -> list[object]:
        outward = Outward()
        hanging = [asyncio.create_task(outward.call(first, answered.wait)) for _ in range(AT_ONCE)]
        await asyncio.sleep(0.05)
        assert await outward.call(second, lambda: "here") == "here"
        # What lies in the store is read at once, as ever.
        assert await outward.read(first, "sha256:00", lambda: "stored") == "stored"
        await asyncio.sleep(0.4)
        answered.set()
        return list(await asyncio.gather(*hanging, return_exceptions=True))

    found = asyncio.run(ask())
    assert found.count(True) == AT_ONCE_OF_A_TENANT
    refused = [one for one in found if isinstance(one, Unavailable)]
    assert (len(refused), {one.code for one in refused}) == (AT_ONCE - AT_ONCE_OF_A_TENANT, {"overloaded"})
