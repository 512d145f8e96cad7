"""A model from a folder of a web server: Python's own, which serves files as they lie."""

import hashlib
import json
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from app.domain.vocabulary import Origin
from app.egress.addresses import AddressGuard
from app.egress.client import EgressClient
from app.errors import EgressFailure
from app.imports.fetching import fetch
from app.imports.packing import copy_dataset
from app.registries.uris import kind_of
from app.registries.web import WebFolder
from app.settings import Settings
from app.storage.blobs import BlobStore

WEIGHTS = bytes(range(256)) * 100
DIGEST = hashlib.sha256(WEIGHTS).hexdigest()


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("web")
    (folder / "models" / "v1").mkdir(parents=True)
    (folder / "models" / "v1" / "faces.safetensors").write_bytes(WEIGHTS)
    (folder / "models" / "v1" / "my faces (1).pt").write_bytes(WEIGHTS)
    (folder / "models" / "v1" / "salience.json").write_text(json.dumps({"architecture": "resnet18"}))
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/models"
        server.shutdown()


@pytest.fixture
def folder(url: str) -> Iterator[WebFolder]:
    with EgressClient(AddressGuard.of(["127.0.0.1/32"])) as client:
        yield WebFolder(client, url, {})


@pytest.fixture
def blobs(tmp_path: Path) -> BlobStore:
    return BlobStore.from_settings(Settings(blob_store=str(tmp_path / "blobs")))


def test_a_file_and_what_describes_it(url: str, folder: WebFolder, blobs: BlobStore) -> None:
    fetched = fetch(folder, f"{url}/v1/faces.safetensors#sha256={DIGEST}", blobs, 100_000, lambda: None)
    assert (fetched.file, fetched.version.version) == ("faces.safetensors", DIGEST)
    assert fetched.blob is not None
    assert fetched.blob.digest == f"sha256:{DIGEST}"
    assert fetched.found == [
        (Origin.SALIENCE_JSON, {"architecture": "resnet18"}),
        (Origin.ARTIFACT, {"format": "safetensors"}),
    ]
    assert [attempt() for attempt in folder.tries().values()] == [True]


def test_names_are_encoded_as_in_any_address(url: str, folder: WebFolder, blobs: BlobStore) -> None:
    uri = f"{url}/v1/my%20faces%20(1).pt#sha256={DIGEST}"
    assert kind_of(uri) == "http"
    assert fetch(folder, uri, blobs, 100_000, lambda: None).file == "my faces (1).pt"
    archive = copy_dataset(folder, uri, blobs, Settings(), lambda: None)
    assert (archive.file, archive.blob and archive.blob.size) == ("my faces (1).pt", len(WEIGHTS))


@pytest.mark.parametrize(
    ("path", "code"),
    [
        (f"/%2e%2e/secret.pt#sha256={DIGEST}", "answer-malformed"),
        (f"/v1/faces.safetensors#sha256={'0' * 64}", "artifact-corrupted"),
        (f"/v2/faces.safetensors#sha256={DIGEST}", "registry-not-found"),
        (f"/../secret.pt#sha256={DIGEST}", "answer-malformed"),
        (f"2/faces.safetensors#sha256={DIGEST}", "registry-not-found"),
    ],
)
def test_what_is_not_fetched(path: str, code: str, url: str, folder: WebFolder, blobs: BlobStore) -> None:
    with pytest.raises(EgressFailure) as caught:
        fetch(folder, f"{url}{path}", blobs, 100_000, lambda: None)
    assert caught.value.code == code


@pytest.mark.parametrize("end", ["", "#sha256=", f"#md5={'0' * 32}", f"?a=b#sha256={DIGEST}", f"#sha256={DIGEST}0"])
def test_an_address_must_name_its_bytes(end: str) -> None:
    with pytest.raises(ValueError, match="sha256"):
        kind_of(f"https://models.example.com/faces.safetensors{end}")
