"""A model from a bucket: moto's server, written to by boto3; signatures against botocore's."""

import hashlib
import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import httpx
import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from app.datasets.sources import DatasetSource
from app.domain.vocabulary import Origin
from app.egress.addresses import AddressGuard
from app.egress.client import EgressClient
from app.errors import EgressFailure, InputFailure
from app.imports.fetching import fetch
from app.registries.aws_signature import AwsKey
from app.registries.s3 import S3Registry
from app.registries.uris import kind_of
from app.settings import Settings
from app.storage.blobs import BlobStore
from tests.egress.hosts import Host, serving
from tests.storage.stores import Bucket, make_bucket

WEIGHTS = bytes(range(256)) * 100
KEY = {"username": "AKIDEXAMPLE", "password": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"}


@pytest.fixture(scope="module")
def bucket() -> Iterator[Bucket]:
    with pytest.MonkeyPatch.context() as patch, make_bucket(patch) as made:
        yield made


@pytest.fixture(scope="module")
def s3(bucket: Bucket) -> Any:
    client = boto3.client("s3", endpoint_url=bucket.endpoint, region_name="us-east-1")
    described = json.dumps({"architecture": "resnet18"}).encode()
    for name, content in {"model.safetensors": WEIGHTS, "salience.json": described, "a folder/": b""}.items():
        client.put_object(Bucket=bucket.name, Key=f"faces/v1/{name}", Body=content)
    client.put_object(Bucket=bucket.name, Key="faces/v10/model.onnx", Body=b"another version")
    return client


@pytest.fixture
def registry(bucket: Bucket) -> Iterator[S3Registry]:
    with EgressClient(AddressGuard.of(["127.0.0.1/32"])) as client:
        yield S3Registry(client, bucket.endpoint, KEY)


def test_a_folder_of_a_bucket(s3: Any, bucket: Bucket, registry: S3Registry, tmp_path: Path) -> None:
    blobs = BlobStore.from_settings(Settings(blob_store=str(tmp_path)))
    fetched = fetch(registry, f"s3://{bucket.name}/faces/v1/", blobs, 100_000, lambda: None)
    assert fetched.blob is not None
    assert (fetched.file, fetched.blob.digest) == ("model.safetensors", f"sha256:{hashlib.sha256(WEIGHTS).hexdigest()}")
    assert fetched.found == [
        (Origin.SALIENCE_JSON, {"architecture": "resnet18"}),
        (Origin.ARTIFACT, {"format": "safetensors"}),
    ]
    files = registry.open(f"s3://{bucket.name}/faces/v1")
    assert files.version == fetched.version
    s3.put_object(Bucket=bucket.name, Key="faces/v1/salience.json", Body=b"{}")
    with pytest.raises(EgressFailure) as caught, files.fetch("salience.json", 1000):
        pass
    assert caught.value.code == "artifact-corrupted"
    assert registry.open(f"s3://{bucket.name}/faces/v1").version != fetched.version
    for attempt in registry.tries().values():
        attempt()


@pytest.mark.parametrize("place", ["faces/v2", "faces/v"])
def test_a_folder_that_is_not_there(place: str, s3: Any, bucket: Bucket, registry: S3Registry) -> None:
    del s3
    with pytest.raises(EgressFailure) as caught:
        registry.open(f"s3://{bucket.name}/{place}")
    assert caught.value.code == "registry-not-found"


@pytest.mark.parametrize(
    "url",
    [
        "https://s3.eu-central-1.amazonaws.com/models/faces/v1/a%20%2B%C3%BC.onnx",
        "http://127.0.0.1:9000/models?encoding-type=url&list-type=2&max-keys=1000&prefix=faces%2Fv1%2F",
        "http://127.0.0.1:9000/",
    ],
)
def test_signature_is_botocores(url: str) -> None:
    ours = AwsKey(KEY["username"], KEY["password"], "eu-central-1").headers("GET", url, datetime.now(UTC))
    asked = AWSRequest("GET", url, headers={"X-Amz-Content-Sha256": ours["X-Amz-Content-Sha256"]})
    signer = S3SigV4Auth(Credentials(KEY["username"], KEY["password"]), "s3", "eu-central-1")
    asked.context["timestamp"] = ours["X-Amz-Date"]
    asked.headers["X-Amz-Date"] = ours["X-Amz-Date"]
    signature = signer.signature(signer.string_to_sign(asked, signer.canonical_request(asked)), asked)
    assert ours["Authorization"].endswith(f"Signature={signature}")


@pytest.mark.parametrize("file", ["b.pth.tar", "b.onnx"])
def test_one_file_of_a_folder(file: str, s3: Any, bucket: Bucket, registry: S3Registry, tmp_path: Path) -> None:
    """Of several with weights the one that is named, and what belongs to it; a folder may be called as a file is."""
    others = ("a.ckpt", "b.pth", "b.pth.tar", "b.onnx", "config.json.bak", "of/salience.json")
    for name in (*others, "salience.json", "b.onnx.data"):
        s3.put_object(Bucket=bucket.name, Key=f"several/{name}", Body=b'{"architecture": "resnet18"}')
    files = registry.open(f"s3://{bucket.name}/several/{file}")
    assert files.names() == {file, "salience.json"} | ({"b.onnx.data"} if file == "b.onnx" else set())
    blobs = BlobStore.from_settings(Settings(blob_store=str(tmp_path)))
    assert fetch(registry, f"s3://{bucket.name}/several/{file}", blobs, 100_000, lambda: None).file == file
    with pytest.raises(InputFailure, match=r"a\.ckpt, b\.onnx, b\.pth"):
        fetch(registry, f"s3://{bucket.name}/several", blobs, 100_000, lambda: None)
    s3.put_object(Bucket=bucket.name, Key="folders/v1.onnx/model.safetensors", Body=WEIGHTS)
    assert registry.open(f"s3://{bucket.name}/folders/v1.onnx").names() == {"model.safetensors"}


@pytest.mark.parametrize("folder", ["My models (ü+100%)/v 1", "a:b, 'c'/#2?"])
def test_folders_as_people_call_them(folder: str, s3: Any, bucket: Bucket, registry: S3Registry) -> None:
    s3.put_object(Bucket=bucket.name, Key=f"{folder}/model.safetensors", Body=WEIGHTS)
    uri = f"s3://{bucket.name}/{folder}"
    assert (kind_of(uri), registry.open(uri).names()) == ("s3", {"model.safetensors"})
    with registry.open(f"{uri}/model.safetensors").fetch("model.safetensors", 100_000) as file:
        assert b"".join(file.pieces()) == WEIGHTS


def test_a_whole_bucket(s3: Any, bucket: Bucket, registry: S3Registry) -> None:
    name = f"{bucket.name}-whole"
    s3.create_bucket(Bucket=name)
    for key in ("cat/1.png", "dog/2.png", "images.zip"):
        s3.put_object(Bucket=name, Key=key, Body=WEIGHTS)
    files = registry.open(f"s3://{name}/")
    assert (files.names(), files.version.name) == ({"cat/1.png", "dog/2.png", "images.zip"}, name)
    with files.fetch("cat/1.png", 100_000) as file:
        assert b"".join(file.pieces()) == WEIGHTS
    assert registry.open(f"s3://{name}/images.zip").names() == {"images.zip"}
    listed = [one for page in registry.place(f"s3://{name}").pages(None) for one in page.objects]
    assert [one.key for one in listed] == ["cat/1.png", "dog/2.png", "images.zip"]
    assert registry.place(f"s3://{name}").read(listed[0], 0, 5) == WEIGHTS[:5]


@pytest.mark.parametrize(
    "place", ["", "/", "/images.zip", "/tars/faces-{000000..000009}.tar", "/{0..9}.parquet", "/My images/2026"]
)
def test_data_sets_that_a_bucket_holds(place: str) -> None:
    uri = f"s3://bucket{place}"
    assert DatasetSource(connection_id=uuid4(), uri=uri).uri == uri


@pytest.mark.parametrize(
    "uri", ["s3://", "s3://b/x", "s3://bucket/../x", "s3://bucket//x", "s3://Bu/x", "s3://bucket/\n"]
)
def test_addresses_that_are_none(uri: str) -> None:
    with pytest.raises(ValueError, match="s3://BUCKET"):
        kind_of(uri)


def tried(url: str, plain: dict[str, str]) -> str | None:
    """The code of what a test of the connection finds; None where it works."""
    with EgressClient(AddressGuard.of(["127.0.0.1/32"])) as client:
        ((_, attempt),) = S3Registry(client, url, plain).tries().items()
        try:
            attempt()
        except EgressFailure as failure:
            return failure.code
        return None


def test_the_test_of_a_connection(bucket: Bucket) -> None:
    """A key that may do nothing is known all the same; one that is not, and a wrong secret, are told."""
    iam = boto3.client("iam", endpoint_url=bucket.endpoint, region_name="us-east-1")
    iam.create_user(UserName="least")
    made = iam.create_access_key(UserName="least")["AccessKey"]
    key = {"username": made["AccessKeyId"], "password": made["SecretAccessKey"]}
    assert (tried(bucket.endpoint, {}), tried(bucket.endpoint, key)) == (None, None)
    httpx.post(f"{bucket.endpoint}/moto-api/reset-auth", content=b"0")
    try:
        found = [tried(bucket.endpoint, plain) for plain in (key, KEY, key | {"password": "another"})]
    finally:
        httpx.post(f"{bucket.endpoint}/moto-api/reset-auth", content=b"inf")
    assert found == [None, "registry-refuses", "registry-refuses"]


class OfOneRegion(BaseHTTPRequestHandler):
    """Says of any other what Amazon's store says."""

    def do_GET(self) -> None:
        is_known = "/fr-par/s3/" in self.headers["authorization"]
        body = b"<ListAllMyBucketsResult/>" if is_known else b"<Error><Code>AuthorizationHeaderMalformed</Code></Error>"
        self.send_response(200 if is_known else 400)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


def test_the_region_that_a_key_signs_for() -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), OfOneRegion) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        url = f"http://127.0.0.1:{server.server_address[1]}"
        assert [tried(url, key) for key in (KEY, KEY | {"region": "fr-par"})] == ["registry-refuses", None]
        with EgressClient(AddressGuard.of(["127.0.0.1/32"])) as client, pytest.raises(EgressFailure, match="`region`"):
            S3Registry(client, url, KEY).open("s3://bucket/folder")
        server.shutdown()


def test_a_server_that_is_no_store() -> None:
    host = Host("127.0.0.1")
    with serving(host):
        url = f"http://127.0.0.1:{host.port}"
        assert [tried(url, plain) for plain in ({}, KEY)] == ["registry-not-found"] * 2
        assert tried(f"{url}/no-http", {}) == "answer-malformed"
