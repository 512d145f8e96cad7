"""What OCI registries tell, as distribution and Harbor document it, and how a registry's tokens are asked for."""

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from app.egress.addresses import AddressGuard
from app.egress.client import EgressClient
from app.errors import EgressFailure
from app.hooks.events import Ignored, RegistryEvent, VersionEvent
from app.hooks.kinds import Delivered, arrived
from app.hooks.oci import oci_event, oci_parts
from app.hooks.schemas import HookKind
from app.registries.oci import OciRegistry
from app.registries.oci_manifest import digest_of
from app.registries.uris import kind_of, uri_of

SECRET = "a secret of sixteen"
DIGEST = "sha256:9c1185a5c5e9fc54612808977ee8f548b2258d31ae9b6e4f9a0d8e6c11f4c4e2"
TARGET = {
    "mediaType": "application/vnd.oci.image.manifest.v1+json",
    "size": 708,
    "digest": DIGEST,
    "length": 708,
    "repository": "team/faces",
    "url": f"http://registry:5000/v2/team/faces/manifests/{DIGEST}",
    "tag": "v1",
}
DISTRIBUTION: Any = {
    "events": [
        {
            "id": "320678d8-ca14-430f-8bb6-4ca139cd83f7",
            "timestamp": "2026-11-30T06:05:11.48Z",
            "action": "push",
            "target": TARGET,
            "request": {"id": "6df24a34", "addr": "172.16.0.9:4", "host": "registry:5000", "method": "PUT"},
            "actor": {},
            "source": {"addr": "registry:5000", "instanceID": "a53db899"},
        }
    ]
}
REPOSITORY = {"name": "faces", "namespace": "team", "repo_full_name": "team/faces", "repo_type": "private"}
RESOURCES = [{"digest": DIGEST, "tag": "v1", "resource_url": "hub.harbor.com/team/faces:v1"}]
HARBOR: Any = {
    "type": "PUSH_ARTIFACT",
    "occur_at": 1_680_501_893,
    "operator": "harbor-jobservice",
    "event_data": {"resources": RESOURCES, "repository": REPOSITORY},
}
HARBOR_CLOUD: Any = {
    "specversion": "1.0",
    "id": "4b2f89a6-548d-4c12-9993-a1f5790b97d2",
    "source": "/projects/1/webhook/policies/3",
    "type": "harbor.artifact.pushed",
    "datacontenttype": "application/json",
    "time": "2023-04-03T06:00:21Z",
    "data": {"resources": RESOURCES, "repository": REPOSITORY},
    "operator": "harbor-jobservice",
}


@pytest.mark.parametrize("body", [DISTRIBUTION, HARBOR, HARBOR_CLOUD])
def test_a_push_names_a_version(body: Any) -> None:
    (part,), (again,) = oci_parts(json.dumps(body).encode()), oci_parts(json.dumps(body).encode())
    assert part == again
    assert oci_event(part.body) == RegistryEvent(VersionEvent.CREATED, "team/faces", DIGEST, {"tag": "v1"})


def test_every_event_of_an_envelope_is_one() -> None:
    pull = DISTRIBUTION["events"][0] | {"id": "2", "action": "pull"}
    parts = oci_parts(json.dumps({"events": [*DISTRIBUTION["events"], pull]}).encode())
    assert [part.key for part in parts] == [DISTRIBUTION["events"][0]["id"], "2"]
    assert isinstance(oci_event(parts[1].body), Ignored)


@pytest.mark.parametrize(
    "target",
    [
        TARGET | {"tag": None},
        TARGET | {"tag": DIGEST.replace(":", "-")},
        TARGET | {"digest": "sha256:0"},
        TARGET | {"repository": "../faces"},
        TARGET | {"repository": ["faces"]},
        {},
    ],
)
def test_what_starts_nothing(target: Any) -> None:
    """Among it the verdict that this service pushed."""
    (part,) = oci_parts(json.dumps({"events": [{"id": "1", "action": "push", "target": target}]}).encode())
    found = oci_event(part.body)
    assert isinstance(found, Ignored)
    assert found.reason


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"events": 1}', b'{"data": {"resources": [1]}}', b"[" * 100_000])
def test_what_is_no_event_is_kept_and_ignored(body: bytes) -> None:
    (part,) = oci_parts(body)
    assert isinstance(oci_event(part.body), Ignored)


def test_the_header_that_a_registry_was_told() -> None:
    for header, is_known in ((f"Bearer {SECRET}", True), (SECRET, True), ("", False), (f"{SECRET}x", False)):
        came = Delivered({"authorization": header}, json.dumps(HARBOR).encode(), datetime.now(UTC))
        assert (arrived(HookKind.OCI, None, SECRET, came) is not None) == is_known


def test_addresses() -> None:
    uri = uri_of("oci", "team/faces", DIGEST, "https://registry.example.com:5000")
    assert (uri, kind_of(uri)) == (f"oci://registry.example.com:5000/team/faces@{DIGEST}", "oci")
    for wrong in ("oci://h/r", "oci://h/R:v1", "oci://h/../r:v1", "oci://h/r@sha256:0", "oci://u@h/r:v1"):
        with pytest.raises(ValueError, match="oci://HOST"):
            kind_of(wrong)


class _Tokens(BaseHTTPRequestHandler):
    """A registry that wants a token, and hands it out itself, as the distribution's specification says."""

    realm = ""

    def do_GET(self) -> None:
        told = self.headers.get("authorization")
        if self.path.startswith("/token"):
            is_asked_well = told == "Basic dTpw" and "scope=repository%3Ateam%2Ffaces%3Apull" in self.path
            self._send(200 if is_asked_well else 401, json.dumps({"token": "good"}).encode())
        elif told == "Bearer good":
            self._send(200, json.dumps({"schemaVersion": 2, "layers": []}).encode())
        else:
            challenge = f'Bearer realm="{self.realm}",service="registry",scope="repository:team/faces:pull"'
            self._send(401, b"{}", challenge)

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""

    def _send(self, status: int, body: bytes, challenge: str | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        if challenge:
            self.send_header("WWW-Authenticate", challenge)
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def url() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Tokens) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        url = f"http://127.0.0.1:{server.server_address[1]}"
        _Tokens.realm = f"{url}/token"
        yield url
        server.shutdown()


def test_a_token_for_the_credentials(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    credentials = {"Authorization": "Basic dTpw"}
    with EgressClient(AddressGuard.of(["127.0.0.1/32"])) as client:
        found = OciRegistry(client, url, credentials).aliased("team/faces", "v1")
        assert found.version == digest_of(json.dumps({"schemaVersion": 2, "layers": []}).encode())
        monkeypatch.setattr(_Tokens, "realm", "http://localhost:1/token")
        with pytest.raises(EgressFailure, match="credentials could be shown"):
            OciRegistry(client, url, credentials).aliased("team/faces", "v1")
        with pytest.raises(EgressFailure) as caught:
            OciRegistry(client, url, credentials).open("oci://elsewhere.example.com/team/faces:v1")
        assert caught.value.code == "registry-not-found"
