"""Objects read where they were listed, out of a store that fails in every way that stores do."""

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

import app.sources.reading as module
from app.egress.addresses import AddressGuard
from app.egress.client import EgressClient, Limits
from app.errors import InputFailure, TransientFailure
from app.registries.listed import Listed
from app.registries.s3 import S3Registry
from app.sources.reading import Patience, read_listed

CONTENT = b"0123456789"
ONE = Listed("cat/1.png", 'etag:"a"', len(CONTENT))


class Store(ThreadingHTTPServer):
    """Fails in the next of ``faults``, one a request, and then answers."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.faults: list[str] = []
        self.asked = 0


class _Handler(BaseHTTPRequestHandler):
    server: Store

    def do_GET(self) -> None:
        self.server.asked += 1
        fault = self.server.faults.pop(0) if self.server.faults else ""
        if fault.isdecimal():
            self.send_response(int(fault))
            self.end_headers()
            self.wfile.write(b"<Error/>")
            return
        if fault == "silent":
            time.sleep(1)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        self.wfile.write(CONTENT[:4] if fault == "cut" else CONTENT)

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    monkeypatch.setattr(module, "PAUSES", (0.01, 0.01))
    with Store() as store:
        threading.Thread(target=store.serve_forever, args=(0.02,), daemon=True).start()
        yield store
        store.shutdown()


def read(store: Store, patience: Patience | None = None) -> bytes:
    limits = Limits(pause_seconds=0.3, call_seconds=1, fetch_seconds=1)
    with EgressClient(AddressGuard.of(["127.0.0.1/32"]), limits) as client:
        place = S3Registry(client, f"http://127.0.0.1:{store.server_address[1]}", {}).place("s3://bucket/a")
        return read_listed(place, ONE, 0, ONE.size, patience=patience)


@pytest.mark.parametrize("faults", [["500"], ["503", "429"], ["cut"], ["silent", "cut"]])
def test_what_passes_is_tried_again(store: Store, faults: list[str]) -> None:
    store.faults += faults
    assert read(store) == CONTENT
    assert store.asked == len(faults) + 1


@pytest.mark.parametrize("fault", ["500", "cut", "silent"])
def test_a_source_that_stays_away(store: Store, fault: str) -> None:
    store.faults += [fault] * 5
    with pytest.raises(TransientFailure, match=r"cat/1\.png") as caught:
        read(store)
    assert (caught.value.code, store.asked) == ("source-unavailable", 3)


def test_patience_is_one_for_all_reads(store: Store) -> None:
    """It is not tried again when they have used it up, and nothing else is read."""
    patience = Patience(0.2)
    patience.left()
    store.faults += ["silent"] * 5
    with pytest.raises(TransientFailure) as caught:
        read(store, patience)
    assert (caught.value.code, store.asked) == ("source-unavailable", 1)
    with pytest.raises(TransientFailure):
        patience.left()


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("403", "registry-refuses"),
        ("401", "registry-refuses"),
        ("404", "artifact-corrupted"),
        ("405", "artifact-corrupted"),
        ("412", "artifact-corrupted"),
    ],
)
def test_what_does_not_pass(store: Store, fault: str, code: str) -> None:
    store.faults.append(fault)
    with pytest.raises(InputFailure, match=r"cat/1\.png") as caught:
        read(store)
    assert (caught.value.code, store.asked) == (code, 1)
