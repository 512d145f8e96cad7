"""The API as a process of its own, without a worker, with small limits: what it accepts stays ``validating``."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psycopg
import pytest

from app.db.session import make_engine
from app.embedded.ports import accepts, free_port
from app.embedded.postgres import EmbeddedPostgres
from tests.api.running_api import UPLOAD_LIMIT, Api
from tests.keys import HEADERS
from tests.waiting import PATIENCE_SECONDS, until

QUIET = {"REGISTRY_SECONDS": "3600", "WEBHOOK_SECONDS": "3600"}
"""Twenty processes that look for work every second, and have none, would take half a core from all other tests."""


@pytest.fixture(scope="session")
def start_api(postgres: EmbeddedPostgres) -> Iterator[Callable[..., Api]]:
    """Start an API on a database of its own; the settings are environment variables."""
    processes: list[subprocess.Popen[bytes]] = []
    apis: list[Api] = []
    folders: list[Path] = []

    def start(broker_url: str, **settings: str) -> Api:
        database = f"api_{len(apis)}"
        with psycopg.connect(postgres.url.replace("+psycopg", "").rpartition("/")[0] + "/postgres") as connection:
            connection.autocommit = True
            connection.execute(f"CREATE DATABASE {database} TEMPLATE salience_audit")
        folder = Path(tempfile.mkdtemp(prefix="salience-audit-api-"))
        folders.append(folder)
        url, port = postgres.url.rpartition("/")[0] + f"/{database}", free_port()
        parts = {"DATABASE_URL": url, "BROKER_URL": broker_url, "BLOB_STORE": str(folder / "blobs")}
        environment = {"LOG_LEVEL": "WARNING", **QUIET, **parts, **settings}
        arguments = ("serve", "--only", "api", "--port", str(port), "--data", str(folder / "data"))
        processes.append(subprocess.Popen([sys.executable, "-m", "app.cli", *arguments], env=os.environ | environment))
        until(lambda: accepts(port))
        client = httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=HEADERS, timeout=PATIENCE_SECONDS)
        apis.append(Api(processes[-1].pid, port, folder / "blobs", make_engine(url), client))
        return apis[-1]

    yield start
    for api in apis:
        api.client.close()
        api.engine.dispose()
    for process in processes:
        process.terminate()
        process.wait(PATIENCE_SECONDS)
    for folder in folders:
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def api(start_api: Callable[..., Api], broker_url: str) -> Api:
    return start_api(broker_url, MAX_UPLOAD_BYTES=str(UPLOAD_LIMIT), RECONCILE_SECONDS="3600")
