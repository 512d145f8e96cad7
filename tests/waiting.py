"""Uploads and waits, for tests that speak to the service over HTTP."""

import io
import json
import threading
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import httpx

RECIPE = json.loads((Path(__file__).parents[1] / "examples" / "faces" / "recipe.json").read_text())
PATIENCE_SECONDS = 240
"""Against what hangs: no test may fail because others keep the machine busy, so nothing waits for less."""
Found = TypeVar("Found")
WEIGHTS = Path(__file__).parents[1] / "examples" / "faces" / "weights"


def until(condition: Callable[[], Found | None]) -> Found:
    """Whatever true thing the condition says at last; the wait may hold a worker's whole start."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (found := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return found


def lanes_ended() -> None:
    """Threads of lanes in this process look once more for work when they are done, and need their engine until then."""
    until(lambda: not any(thread.name.endswith("-lane") for thread in threading.enumerate()))


def wait_for(client: httpx.Client, path: str, *statuses: str) -> dict[str, Any]:
    """Poll until the status is one of these."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        resource: dict[str, Any] = client.get(path).json()
        if resource["status"] in statuses:
            return resource
        assert time.monotonic() < deadline, resource
        time.sleep(0.2)


def views_of(client: httpx.Client, audit_id: str, **asked: str) -> zipfile.ZipFile:
    """The archive of an audit's changed images, once it is made."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        answer = client.get(f"/v1/audits/{audit_id}/views", params=asked)
        if answer.status_code == 200:
            return zipfile.ZipFile(io.BytesIO(answer.content))
        assert answer.status_code == 202, answer.text
        assert int(answer.headers["retry-after"]) > 0
        assert time.monotonic() < deadline, answer.text
        time.sleep(0.2)


def upload(client: httpx.Client, collection: str, description: dict[str, Any], content: bytes) -> dict[str, Any]:
    """Register, send, wait until the worker has had its look."""
    created = client.post(f"/v1/{collection}", json=description)
    assert created.status_code == 201, created.text
    put = client.put(created.json()["content_url"], content=content)
    assert put.status_code == 202, put.text
    return wait_for(client, f"/v1/{collection}/{created.json()['id']}", "ready", "rejected")


def upload_run(client: httpx.Client, name: str) -> dict[str, Any]:
    """One of the example's trained networks."""
    return upload(client, "models", RECIPE | {"name": name}, (WEIGHTS / f"{name}.safetensors").read_bytes())
