"""Tokens that expire while an artifact's layers are fetched: Debian's docker-registry, and a server of its tokens."""

import hashlib
import json
import ssl
import subprocess
import threading
import time
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from app.egress.addresses import AddressGuard
from app.egress.client import EgressClient
from app.embedded.ports import accepts, free_port
from app.registries.oci import OciRegistry
from app.registries.oci_manifest import EMPTY, MANIFEST, descriptor
from tests.broker.certificates import Certificates, make_certificates
from tests.waiting import until

pytestmark = pytest.mark.needs("docker-registry", get="apt-get install docker-registry")
REALM, SERVICE, NAME = "tokens.test", "ours", "team/faces"
LEEWAY_SECONDS = 60
"""That distribution adds to a token's end."""
LAYERS = {"first.bin": b"the first layer", "second.bin": b"the second one"}


class Tokens(ThreadingHTTPServer):
    """Gives whoever asks a token for what they ask; the registry takes it for ``seconds``."""

    daemon_threads = True

    def __init__(self, certificates: Certificates) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificates.server, certificates.key)
        self.socket = context.wrap_socket(self.socket, server_side=True)
        self.certificates = certificates
        self.seconds = 300.0
        self.asked: list[str] = []

    def token(self, scope: str) -> str:
        """Signed as distribution checks it: with the certificate in its head."""
        kind, name, actions = scope.split(":")
        access = [{"type": kind, "name": name, "actions": actions.split(",")}]
        now = time.time()
        times = {"iat": int(now) - 600, "nbf": int(now) - 600, "exp": int(now + self.seconds - LEEWAY_SECONDS)}
        claims = {"iss": "us", "sub": "", "aud": SERVICE, "jti": str(now), "access": access, **times}
        pem = self.certificates.server.read_text().splitlines()
        head = {"typ": "JWT", "alg": "ES256", "x5c": ["".join(line for line in pem if "-----" not in line)]}
        signed = b".".join(_text(json.dumps(part).encode()) for part in (head, claims))
        key = load_pem_private_key(self.certificates.key.read_bytes(), None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        parts = decode_dss_signature(key.sign(signed, ec.ECDSA(SHA256())))
        return b".".join([signed, _text(b"".join(part.to_bytes(32, "big") for part in parts))]).decode()


class _Handler(BaseHTTPRequestHandler):
    server: Tokens

    def do_GET(self) -> None:
        scope = parse_qs(urlsplit(self.path).query)["scope"][0]
        self.server.asked.append(scope)
        body = json.dumps({"token": self.server.token(scope)}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


def _text(data: bytes) -> bytes:
    return urlsafe_b64encode(data).rstrip(b"=")


@pytest.fixture
def tokens(tmp_path: Path) -> Iterator[Tokens]:
    with Tokens(make_certificates(tmp_path, REALM)) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def url(tokens: Tokens, tmp_path: Path) -> Iterator[str]:
    """Of a registry that takes those tokens, with an artifact in it."""
    port = free_port()
    realm = f"https://{REALM}:{tokens.server_address[1]}/token"
    bundle = str(tokens.certificates.authority)
    token = {"realm": realm, "service": SERVICE, "issuer": "us", "rootcertbundle": bundle}
    config: dict[str, Any] = {
        "version": 0.1,
        "log": {"level": "error"},
        "storage": {"filesystem": {"rootdirectory": str(tmp_path / "data")}},
        "http": {"addr": f"127.0.0.1:{port}"},
        "auth": {"token": token},
    }
    (tmp_path / "config.yml").write_text(json.dumps(config))  # JSON is YAML
    with subprocess.Popen(["docker-registry", "serve", str(tmp_path / "config.yml")]) as process:
        until(lambda: accepts(port))
        made = f"http://127.0.0.1:{port}"
        _push(made, tokens)
        yield made
        process.terminate()


def _push(url: str, tokens: Tokens) -> None:
    allowed = {"Authorization": f"Bearer {tokens.token(f'repository:{NAME}:pull,push')}"}
    with httpx.Client(base_url=f"{url}/v2/{NAME}/", headers=allowed) as client:
        for content in (*LAYERS.values(), b"{}"):
            begun = client.post("blobs/uploads/")
            assert begun.status_code == 202, begun.text
            asked = {"digest": f"sha256:{hashlib.sha256(content).hexdigest()}"}
            place = httpx.URL(begun.headers["location"]).copy_merge_params(asked)
            assert client.put(place, content=content).status_code == 201
        titles = "org.opencontainers.image.title"
        layers = [
            descriptor(content, "application/octet-stream") | {"annotations": {titles: name}}
            for name, content in LAYERS.items()
        ]
        told = {"schemaVersion": 2, "mediaType": MANIFEST, "config": descriptor(b"{}", EMPTY), "layers": layers}
        pushed = client.put("manifests/v1", content=json.dumps(told), headers={"Content-Type": MANIFEST})
        assert pushed.status_code == 201, pushed.text


def test_a_token_that_expires_is_asked_for_anew(url: str, tokens: Tokens) -> None:
    """Between two layers, and between two calls."""
    tokens.seconds = 1.5
    guard, authority = AddressGuard.of(["127.0.0.1/32"]), str(tokens.certificates.authority)
    with EgressClient(guard, ca_file=authority, resolve=lambda *_: ["127.0.0.1"]) as client:
        registry = OciRegistry(client, url, {"Authorization": f"Basic {b64encode(b'user:password').decode()}"})
        files = registry.open(f"oci://{url.removeprefix('http://')}/{NAME}:v1")
        fetched = {}
        for name in LAYERS:
            with files.fetch(name, 1000) as download:
                fetched[name] = b"".join(download.pieces())
            time.sleep(2.6)  # the end is of whole seconds
        assert registry.aliased(NAME, "v1") == files.version
    assert fetched == LAYERS
    assert tokens.asked == [f"repository:{NAME}:pull"] * 3
