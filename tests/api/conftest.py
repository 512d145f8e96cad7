"""The API in a process of its own, without a worker, with small limits: what it accepts stays ``validating``."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from multiprocessing.process import BaseProcess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self

import httpx
import pytest

from app.db.session import make_engine
from app.embedded.ports import accepts, free_port
from app.embedded.postgres import EmbeddedPostgres
from tests import forked
from tests.api.running_api import UPLOAD_LIMIT, Api
from tests.databases import new_database
from tests.keys import HEADERS
from tests.waiting import PATIENCE_SECONDS, until

QUIET = {"REGISTRY_SECONDS": "3600", "WEBHOOK_SECONDS": "3600"}
"""Twenty processes that look for work every second, and have none, would take half a core from all other tests."""


class Apis:
    """APIs that one scope of tests starts, and stops at its end: each holds twenty connections and 200 MB."""

    def __init__(self, server: EmbeddedPostgres) -> None:
        self._server = server
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self._stack.close()

    def start(self, broker_url: str, **settings: str) -> Api:
        """On a database of its own; the settings are environment variables."""
        url = self._stack.enter_context(new_database(self._server))
        folder = Path(self._stack.enter_context(TemporaryDirectory(prefix="salience-audit-api-")))
        port = free_port()
        parts = {"DATABASE_URL": url, "BROKER_URL": broker_url, "BLOB_STORE": str(folder / "blobs")}
        environment = os.environ | {"LOG_LEVEL": "WARNING", **QUIET, **parts, **settings}
        arguments = ("serve", "--only", "api", "--port", str(port), "--data", str(folder / "data"))
        process = forked.start(arguments, environment)
        self._stack.callback(_stop, process)
        until(lambda: accepts(port))
        engine = make_engine(url)
        self._stack.callback(engine.dispose)
        client = httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=HEADERS, timeout=PATIENCE_SECONDS)
        self._stack.enter_context(client)
        assert process.pid is not None
        return Api(process.pid, port, folder / "blobs", engine, client)


def _stop(process: BaseProcess) -> None:
    process.terminate()
    process.join(PATIENCE_SECONDS)


@pytest.fixture(scope="module")
def start_api(postgres: EmbeddedPostgres) -> Iterator[Callable[..., Api]]:
    """Start an API that ends with the module."""
    with Apis(postgres) as apis:
        yield apis.start


@pytest.fixture(scope="session")
def start_shared_api(postgres: EmbeddedPostgres) -> Iterator[Callable[..., Api]]:
    """Start an API that many modules use."""
    with Apis(postgres) as apis:
        yield apis.start


@pytest.fixture(scope="session")
def api(start_shared_api: Callable[..., Api], broker_url: str) -> Api:
    return start_shared_api(broker_url, MAX_UPLOAD_BYTES=str(UPLOAD_LIMIT), RECONCILE_SECONDS="3600")
