"""An import whose process was killed: the next one asks for what is missing, and for nothing else."""

import hashlib
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, func

from app.access.vault import Vault
from app.db.session import transaction
from app.db.tables import ModelImportRow, ModelRow
from app.domain.vocabulary import ResourceStatus
from app.imports.importer import Importer
from app.imports.nouns import MODELS
from app.imports.turns import Turn
from app.queue import TaskQueue
from app.settings import Settings
from app.storage.blobs import BlobStore
from app.storage.partials import PartialLog
from tests.factories import model_row
from tests.registries.importing import connected

CONTENT = hashlib.sha256(b"weights").digest() * 100_000
DIGEST = hashlib.sha256(CONTENT).hexdigest()
PIN = f"sha256:{DIGEST}"
NAME = "faces.safetensors"


class Server(ThreadingHTTPServer):
    """Has one file; ``ranges`` are what it was asked for, and ``sends_parts`` whether it listens."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.ranges: list[str | None] = []
        self.sends_parts = True

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/models"

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients hang up on purpose."""


class _Handler(BaseHTTPRequestHandler):
    server: Server

    def do_HEAD(self) -> None:
        self.send_response(404)
        self.end_headers()

    def do_GET(self) -> None:
        asked = self.headers["Range"]
        self.server.ranges.append(asked)
        begin = int(asked.removeprefix("bytes=").rstrip("-")) if asked and self.server.sends_parts else 0
        self.send_response(206 if begin else 200)
        if begin:
            self.send_header("Content-Range", f"bytes {begin}-{len(CONTENT) - 1}/{len(CONTENT)}")
        self.send_header("Content-Length", str(len(CONTENT) - begin))
        self.end_headers()
        self.wfile.write(CONTENT[begin:])

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield server
        server.shutdown()


class Process:
    """One that fetches a model; ``folder`` is the store's."""

    def __init__(self, engine: Engine, broker_url: str, folder: Path) -> None:
        networks = frozenset({"127.0.0.1/32"})
        settings = Settings(blob_store=str(folder), broker_url=broker_url, allowed_networks=networks)
        self.engine = engine
        self.folder = folder
        self.blobs = BlobStore.from_settings(settings)
        self.importer: Importer[Any, Any] = Importer(
            MODELS, engine, Vault(None), self.blobs, TaskQueue(broker_url), settings
        )

    def attempt(self) -> None:
        with transaction(self.engine) as session:
            session.query(ModelImportRow).update({"next_at": func.now()})
        claim = self.importer.claim(frozenset())
        assert claim is not None
        self.importer.work(claim)

    def kept(self) -> list[Path]:
        return list((self.folder / "partials").glob("*"))


@pytest.fixture
def process(engine: Engine, broker_url: str, server: Server, tmp_path: Path) -> Process:
    """It was killed when a good half of the model had come."""
    killed = Process(engine, broker_url, tmp_path / "blobs")
    row = model_row(status=ResourceStatus.FETCHING)
    connected(engine, "http", server.url, f"{server.url}/{NAME}#sha256={DIGEST}", row)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Turn, "__call__", _kills())
        with pytest.raises(SystemExit):
            killed.attempt()
    with kept_log(killed) as log:
        there = log.found(PIN)
        assert there is not None
        assert 1_000_000 <= there.kept < there.size == len(CONTENT)
        assert CONTENT.startswith(b"".join(there.pieces()))
    server.ranges.clear()
    return Process(engine, broker_url, tmp_path / "blobs")


def _kills() -> Any:
    calls = count()

    def call(_: Turn) -> None:
        if next(calls) * 65_536 > 2_200_000:
            raise SystemExit

    return call


@contextmanager
def kept_log(process: Process) -> Iterator[PartialLog]:
    """As an import opens it."""
    (kept,) = process.kept()
    partials = process.blobs.partials(kept.name.partition(".")[0])
    assert partials is not None
    with partials.opened() as log:
        assert log is not None
        yield log


def digest(process: Process) -> str | None:
    with transaction(process.engine) as session:
        return session.query(ModelRow).one().content_digest


def test_it_goes_on_where_it_was(process: Process, server: Server) -> None:
    with kept_log(process) as log:
        there = log.found(PIN)
        assert there is not None
    process.attempt()
    assert server.ranges == [f"bytes={there.kept}-"]
    assert digest(process) == f"sha256:{DIGEST}"
    assert process.kept() == []


def test_a_server_that_sends_no_parts(process: Process, server: Server) -> None:
    server.sends_parts = False
    process.attempt()
    assert (digest(process), process.kept()) == (f"sha256:{DIGEST}", [])


def test_what_was_kept_is_damaged(process: Process, server: Server) -> None:
    """It is found out by the digest, thrown away, and fetched anew by the next attempt."""
    (kept,) = process.kept()
    with kept.open("r+b") as file:
        file.seek(-1000, os.SEEK_END)
        file.write(bytes(1000))
    process.attempt()
    assert digest(process) is None
    process.attempt()
    assert server.ranges[-1] is None
    assert (digest(process), process.kept()) == (f"sha256:{DIGEST}", [])


def test_all_of_it_had_come(process: Process, server: Server) -> None:
    with kept_log(process) as log:
        there = log.found(PIN)
        assert there is not None
        there.append(CONTENT[there.kept :])
    process.attempt()
    assert server.ranges == []
    assert (digest(process), process.kept()) == (f"sha256:{DIGEST}", [])


def test_another_process_is_at_it(process: Process, server: Server) -> None:
    """Which has lost its lease, and does not know it yet: what it keeps is left alone."""
    with kept_log(process):
        process.attempt()
    assert server.ranges == [None]
    assert digest(process) == f"sha256:{DIGEST}"


def test_what_nobody_goes_on_with_is_swept(process: Process) -> None:
    assert process.blobs.sweep(3600) == 0
    assert process.blobs.sweep(-90_000) >= 1
    assert process.kept() == []
