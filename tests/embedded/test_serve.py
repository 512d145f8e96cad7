"""``salience-audit serve``: one service a folder, its data kept, its children replaced, nothing left behind."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.waiting import PATIENCE_SECONDS, until


def command(data: Path) -> list[str]:
    return [sys.executable, "-m", "app.cli", "serve", "--port", "0", "--data", str(data)]


@contextmanager
def serving(data: Path) -> Iterator[tuple[subprocess.Popen[bytes], httpx.Client]]:
    environment = {name: value for name, value in os.environ.items() if name != "API_KEY_SECRET"}
    process = subprocess.Popen(command(data), env=environment, stdout=subprocess.DEVNULL)
    try:
        wait_until((data / "pids").exists, process)
        document = json.loads((data / "server.json").read_text())
        headers = {"Authorization": f"Bearer {document['api_key']}"}
        with httpx.Client(base_url=document["url"], headers=headers, timeout=PATIENCE_SECONDS) as client:
            yield process, client
    finally:
        process.kill()
        process.wait()


def wait_until(condition: object, process: subprocess.Popen[bytes], seconds: float = 240) -> None:
    deadline = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)


def pids(data: Path) -> dict[str, int]:
    lines = (data / "pids").read_text().splitlines()
    return {name: int(pid) for name, pid in (line.split() for line in lines)}


def alive(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z"


@pytest.fixture
def data(open_folder: Path, request: pytest.FixtureRequest) -> Path:
    name: str = request.node.name
    return open_folder / name


def healthy(client: httpx.Client) -> bool:
    try:
        return client.get("/readyz").is_success
    except httpx.TransportError:
        return False


def test_children_are_replaced_data_is_kept_and_nothing_outlives_it(data: Path) -> None:
    """One service three times: interrupted, killed, and terminated."""
    with serving(data) as (process, client):
        assert oct((data / "server.json").stat().st_mode)[-3:] == "600"
        created = client.post("/v1/datasets", json={"name": "kept"}).json()
        for name in ("postgres", "valkey", "api", "worker"):
            before = pids(data)[name]
            os.kill(before, signal.SIGKILL)
            wait_until(lambda name=name, before=before: pids(data)[name] != before, process)
            wait_until(lambda: healthy(client), process)
        assert client.get(f"/v1/datasets/{created['id']}").json() == created
        check_that_another_is_refused(data)
        wait_until(lambda: healthy(client), process)
        children = pids(data)
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE_SECONDS) == 0
        assert not any(map(alive, children.values()))
        assert not (data / "server.json").exists()
    made = [data / name for name in ("api-key", "api-key.secret")]
    assert [oct(file.stat().st_mode)[-3:] for file in made] == ["600", "600"]
    with serving(data) as (process, client):
        assert client.headers["authorization"] == f"Bearer {made[0].read_text()}"
        assert client.get(f"/v1/datasets/{created['id']}").json() == created
        children = pids(data)
        process.kill()
        until(lambda: not any(map(alive, children.values())))
    (data / "pids").unlink()
    with serving(data) as (process, client):
        wait_until(lambda: healthy(client), process)
        assert client.get(f"/v1/datasets/{created['id']}").json() == created
        process.terminate()
        assert process.wait(PATIENCE_SECONDS) == 0


def check_that_another_is_refused(data: Path) -> None:
    """One service a folder."""
    second = subprocess.run(command(data), capture_output=True, text=True, check=False, timeout=PATIENCE_SECONDS)
    assert second.returncode == 1
    assert "Another service uses" in second.stderr
    assert (data / "server.json").exists()


def test_strangers_are_not_let_in_without_keys(data: Path) -> None:
    refused = [*command(data), "--host", "0.0.0.0"]
    done = subprocess.run(refused, capture_output=True, text=True, check=False, timeout=PATIENCE_SECONDS)
    assert done.returncode == 1
    assert done.stderr.startswith("There are no API keys, and 0.0.0.0 is not this machine's loopback address")
