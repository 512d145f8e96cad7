"""Sources that send so slowly that their imports hold every lane: who waits with a small one gets in all the same."""

import hashlib
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import Engine

from app.db.identifiers import new_id
from app.db.session import transaction
from app.db.tables import ConnectionRow, ModelImportRow, ModelRow, TenantRow
from app.domain.vocabulary import ResourceStatus
from app.imports import turns
from app.imports.claims import Claim
from app.lanes import USUAL, Lanes
from tests.factories import model_row
from tests.registries.importing import importer
from tests.waiting import lanes_ended, until

LARGE, SMALL = bytes(range(256)) * 16_000, b"weights" * 100
PIECE = 2048


class Slow(ThreadingHTTPServer):
    """Sends 40 KiB a second of every large file, until it may be ``fast``."""

    daemon_threads = True
    request_queue_size = 50

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.fast = threading.Event()
        self.served: Counter[str] = Counter()
        self.open: Counter[str] = Counter()
        self.ranges: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/models"

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients hang up on purpose."""


class _Handler(BaseHTTPRequestHandler):
    server: Slow

    def do_HEAD(self) -> None:
        self.send_response(404)
        self.end_headers()

    def do_GET(self) -> None:
        content, asked = SMALL if "small" in self.path else LARGE, self.headers["Range"]
        begin = int(asked.removeprefix("bytes=").rstrip("-")) if asked else 0
        self.send_response(206 if asked else 200)
        if asked:
            self.server.ranges.append(asked)
            self.send_header("Content-Range", f"bytes {begin}-{len(content) - 1}/{len(content)}")
        self.send_header("Content-Length", str(len(content) - begin))
        self.end_headers()
        self.server.open[self.path] += 1
        with suppress(OSError):
            self._send(content[begin:])
        self.server.open[self.path] -= 1

    def _send(self, content: bytes) -> None:
        for offset in range(0, len(content), PIECE):
            if "small" not in self.path:
                self.server.fast.wait(0.05)
            self.wfile.write(content[offset:][:PIECE])
            self.server.served[self.path] += len(content[offset:][:PIECE])

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


@pytest.fixture
def slow() -> Iterator[Slow]:
    with Slow() as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def engine(engine: Engine) -> Iterator[Engine]:
    yield engine
    lanes_ended()


def register(engine: Engine, slow: Slow, name: str, content: bytes) -> UUID:
    """A model of a tenant of its own."""
    tenant, connection = new_id(), new_id()
    row = model_row(status=ResourceStatus.FETCHING, tenant_id=tenant)
    uri = f"{slow.url}/{name}.safetensors#sha256={hashlib.sha256(content).hexdigest()}"
    with transaction(engine) as session:
        session.add(TenantRow(id=tenant, name=name))
        session.flush()
        about = {"name": name, "kind": "http", "url": slow.url, "auth_kind": "none"}
        session.add_all([ConnectionRow(id=connection, tenant_id=tenant, **about), row])
        session.flush()
        where = {"connection_id": connection, "uri": uri, "said": {}, "tenant_id": tenant}
        session.add(ModelImportRow(model_id=row.id, **where))
    return row.id


def fetching(engine: Engine, models: list[UUID]) -> int:
    with transaction(engine) as session:
        return sum(session.get_one(ModelRow, one).status == ResourceStatus.FETCHING for one in models)


def ended(lanes: Lanes[Claim], engine: Engine, models: list[UUID]) -> bool:
    """Whether they are fetched, or refused; until then whatever is due is begun."""
    lanes.round()
    return not fetching(engine, models)


def test_a_small_import_gets_in(
    engine: Engine, broker_url: str, slow: Slow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some fetch gives up its lane for it once its turn is over, and goes on later with what is missing."""
    monkeypatch.setattr(turns, "TURN_SECONDS", 0.5)
    monkeypatch.setattr(turns, "LOOK_SECONDS", 0.1)
    lanes = importer("models", engine, broker_url, str(tmp_path)).lanes()
    large = [register(engine, slow, f"large-{number}", LARGE) for number in range(USUAL.threads)]
    lanes.round()
    until(lambda: slow.open.total() == USUAL.threads)
    small = register(engine, slow, "small", SMALL)
    lanes.round()
    until(lambda: not fetching(engine, [small]))
    assert fetching(engine, large) == USUAL.threads
    slow.fast.set()
    until(lambda: ended(lanes, engine, large))
    assert slow.ranges
    assert max(slow.served.values()) < len(LARGE) + 10 * PIECE
    with transaction(engine) as session:
        assert not [one.problem for one in session.query(ModelRow) if one.problem is not None]
