"""The service behind pgbouncer in transaction mode: each transaction gets another connection to the database."""

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import psycopg
import pytest

from app.access.scopes import Scope
from app.embedded.ports import accepts, free_port
from app.embedded.postgres import _server_user
from tests.waiting import PATIENCE_SECONDS, until, upload_run

LISTS = ("/v1/datasets", "/v1/audits", "/v1/models", "/v1/gates")
CLIENTS = 12
ROUNDS = 15

pytestmark = [pytest.mark.integration, pytest.mark.needs("pgbouncer", get="apt-get install pgbouncer")]


@pytest.fixture
def pooled_url(database_url: str, open_folder: Path) -> Iterator[str]:
    """Through a pooler that knows no prepared statements of its own, as Debian 12 has it."""
    direct, port = urlsplit(database_url.replace("+psycopg", "")), free_port()
    folder = open_folder / f"pgbouncer-{port}"
    folder.mkdir()
    (folder / "users").write_text(f'"{direct.username}" "{direct.password}"\n')
    (folder / "pgbouncer.ini").write_text(
        f"[databases]\n* = host=127.0.0.1 port={direct.port}\n[pgbouncer]\nlisten_addr = 127.0.0.1\n"
        f"listen_port = {port}\nunix_socket_dir =\nauth_type = scram-sha-256\nauth_file = {folder}/users\n"
        "pool_mode = transaction\ndefault_pool_size = 3\nmax_client_conn = 400\n"
    )
    user, group = _server_user() or (None, None)
    process = subprocess.Popen(
        ["pgbouncer", "-q", str(folder / "pgbouncer.ini")], user=user, group=group, extra_groups=[] if user else None
    )
    until(lambda: accepts(port))
    yield f"postgres://{direct.username}:{direct.password}@127.0.0.1:{port}{direct.path}"
    process.terminate()
    process.wait(PATIENCE_SECONDS)


@pytest.fixture
def client(pooled_url: str, database_url: str, broker_url: str, tmp_path: Path) -> Iterator[httpx.Client]:
    """Migration, API and worker, all through the pooler."""
    with psycopg.connect(database_url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
    parts = {"DATABASE_URL": pooled_url, "BROKER_URL": broker_url, "BLOB_STORE": str(tmp_path / "blobs")}
    options: dict[str, Any] = {"env": os.environ | parts | {"THREADS": "1"}, "cwd": tmp_path}
    program = [sys.executable, "-m", "app.cli"]
    subprocess.run([*program, "migrate"], **options, check=True)
    made = [*program, "keys", "create", "--tenant", "default", "--scope", Scope.WRITE]
    key = subprocess.run(made, **options, capture_output=True, text=True, check=True).stdout.strip()
    port = free_port()
    serve = ["serve", "--only", "api", "--port", str(port), "--data", str(tmp_path / "data")]
    processes = [subprocess.Popen([*program, *arguments], **options) for arguments in (serve, ["worker"])]
    until(lambda: accepts(port))
    headers = {"Authorization": f"Bearer {key}"}
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=PATIENCE_SECONDS) as client:
        yield client
    for process in processes:
        process.terminate()
    assert [process.wait(PATIENCE_SECONDS) for process in processes] == [0, 0]


def test_many_clients_and_a_worker(client: httpx.Client) -> None:
    def ask(_: int) -> Counter[int]:
        return Counter(client.get(path).status_code for path in LISTS * ROUNDS)

    with ThreadPoolExecutor(CLIENTS) as threads:
        answers = sum(threads.map(ask, range(CLIENTS)), Counter[int]())
    assert answers == {200: CLIENTS * ROUNDS * len(LISTS)}
    assert client.get("/readyz").json() == {"status": "ok"}
    assert upload_run(client, "cross_entropy_run1")["status"] == "ready"
