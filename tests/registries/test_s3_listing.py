"""Folders of buckets that are listed and read where they lie: moto's server, written to by boto3."""

from collections.abc import Iterator
from functools import partial
from itertools import islice
from typing import Any

import boto3
import pytest

import app.registries.s3_store as module
from app.egress.addresses import AddressGuard
from app.egress.client import EgressClient
from app.errors import EgressFailure
from app.registries.listed import Listed, check_listed
from app.registries.s3 import S3Registry
from app.registries.s3_place import S3Place
from tests.registries.test_s3 import KEY
from tests.storage.stores import Bucket, make_bucket

CONTENT = bytes(range(256)) * 4
NAMES = [f"{label}/{number} ü+%.png" for label in ("cat", "dog") for number in range(4)]
KINDS = pytest.mark.parametrize("kind", ["etag", "version"])


@pytest.fixture(scope="module")
def bucket() -> Iterator[Bucket]:
    with pytest.MonkeyPatch.context() as patch, make_bucket(patch) as made:
        yield made


@pytest.fixture(scope="module")
def s3(bucket: Bucket) -> Any:
    return boto3.client("s3", endpoint_url=bucket.endpoint, region_name="us-east-1")


@pytest.fixture
def registry(bucket: Bucket) -> Iterator[S3Registry]:
    with EgressClient(AddressGuard.of(["127.0.0.1/32"])) as client:
        yield S3Registry(client, bucket.endpoint, KEY)


@pytest.fixture
def place(kind: str, s3: Any, bucket: Bucket, registry: S3Registry, monkeypatch: pytest.MonkeyPatch) -> S3Place:
    """With pages of three, and beside it what is no part of it."""
    monkeypatch.setattr(module, "PAGE", 3)
    name = f"{bucket.name}-{kind}"
    if name not in [one["Name"] for one in s3.list_buckets()["Buckets"]]:
        s3.create_bucket(Bucket=name)
        if kind == "version":
            s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
        for key in [*NAMES, "cat/", "cat/gone.png"]:
            s3.put_object(Bucket=name, Key=f"a/{key}", Body=CONTENT if key in NAMES else b"")
        s3.delete_object(Bucket=name, Key="a/cat/gone.png")
        s3.put_object(Bucket=name, Key="ab/other.png", Body=b"beside it")
    return registry.place(f"s3://{name}/a")


@KINDS
def test_every_object_in_order(kind: str, place: S3Place) -> None:
    pages = list(place.pages(None))
    listed = [one for page in pages for one in page.objects]
    assert [one.key for one in listed] == NAMES
    assert {one.size for one in listed} == {len(CONTENT)}
    assert all(one.pin.startswith(f"{kind}:") for one in listed)
    assert len({one.pin for one in listed}) == (1 if kind == "etag" else len(NAMES))
    for done in range(1, len(pages)):
        # Whoever goes on behind a page finds the rest, each once.
        before = [one for page in pages[:done] for one in page.objects]
        behind = [one for page in place.pages(pages[done - 1].cursor) for one in page.objects]
        assert before + behind == listed


@KINDS
def test_ranges(kind: str, place: S3Place) -> None:
    del kind
    one = next(place.pages(None)).objects[0]
    assert place.read(one, 0, one.size) == CONTENT
    assert place.read(one, 100, 7) == CONTENT[100:107]
    assert place.read(one, one.size - 1, 1) == CONTENT[-1:]
    with pytest.raises(EgressFailure, match="was changed"):
        place.read(one, one.size, 1)


def _listed(place: S3Place, name: str) -> Listed:
    return next(one for page in place.pages(None) for one in page.objects if one.key == name)


@pytest.mark.parametrize("kind", ["etag"])
def test_an_object_that_changes_or_goes(kind: str, place: S3Place, s3: Any) -> None:
    del kind
    put = partial(s3.put_object, Bucket=place.named.bucket, Key=f"a/{NAMES[-1]}")
    one = _listed(place, NAMES[-1])
    put(Body=CONTENT[::-1])
    for part in ((0, one.size), (3, 4)):
        with pytest.raises(EgressFailure, match="was changed") as caught:
            place.read(one, *part)
        assert (caught.value.code, NAMES[-1][-4:] in caught.value.detail) == ("artifact-corrupted", True)
    s3.delete_object(Bucket=place.named.bucket, Key=f"a/{NAMES[-1]}")
    with pytest.raises(EgressFailure, match="is gone"):
        place.read(one, 0, one.size)
    put(Body=CONTENT)
    assert place.read(one, 0, one.size) == CONTENT


@pytest.mark.parametrize("kind", ["version"])
def test_a_version_stays_what_it_is(kind: str, place: S3Place, s3: Any) -> None:
    """Written over, and deleted: only who deletes the version itself takes it away."""
    del kind
    there = {"Bucket": place.named.bucket, "Key": f"a/{NAMES[-1]}"}
    one = _listed(place, NAMES[-1])
    s3.put_object(**there, Body=b"another")
    assert _listed(place, NAMES[-1]).pin != one.pin
    s3.delete_object(**there)
    assert NAMES[-1] not in [one.key for page in place.pages(None) for one in page.objects]
    assert place.read(one, 0, one.size) == CONTENT
    s3.delete_object(**there, VersionId=one.pin.removeprefix("version:"))
    with pytest.raises(EgressFailure, match="is gone"):
        place.read(one, 0, one.size)
    s3.put_object(**there, Body=CONTENT)


@pytest.mark.parametrize("kind", ["version"])
def test_versions_that_may_not_be_listed(
    kind: str, place: S3Place, registry: S3Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A right of its own: without it, ETags."""
    del kind
    ask = registry.store.list_page

    def refused(bucket: str, **asked: str) -> Any:
        if "versions" in asked:
            raise EgressFailure("registry-refuses", "HTTP 403")
        return ask(bucket, **asked)

    monkeypatch.setattr(registry.store, "list_page", refused)
    listed = [one for page in islice(place.pages(None), 9) for one in page.objects]
    assert [one.pin[:5] for one in listed] == ["etag:"] * len(NAMES)


RECORDED = b"""<?xml version="1.0" encoding="UTF-8"?>
<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>b</Name><Prefix>a/</Prefix><KeyCount>2</KeyCount>
<MaxKeys>2</MaxKeys><EncodingType>url</EncodingType><IsTruncated>%s</IsTruncated>
<Contents><Key>a/img+1.png</Key><ETag>&quot;1&quot;</ETag><Size>7</Size></Contents>
<Contents><Key>a/img%%2B1.png</Key><ETag>&quot;2&quot;</ETag><Size>7</Size></Contents></ListBucketResult>"""
"""Amazon's form of names with a space and with a plus, which is not moto's."""


def test_names_as_amazon_writes_them(registry: S3Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry.store, "_asked", lambda _: RECORDED % b"false")
    [page] = registry.place("s3://bucket/a").current("")
    assert [one.key for one in page.objects] == ["img 1.png", "img+1.png"]
    assert page.cursor == "a/img+1.png"


def test_pages_without_an_end(registry: S3Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry.store, "_asked", lambda _: RECORDED % b"true")
    with pytest.raises(EgressFailure, match="without an end"):
        list(islice(registry.place("s3://bucket/a").current(""), 10))


@pytest.mark.parametrize(("key", "size"), [("a\0.png", 1), ("\udfff.png", 1), ("a" * 5000, 1), ("a", -1), ("a", 2**63)])
def test_objects_that_no_store_has(key: str, size: int) -> None:
    with pytest.raises(EgressFailure, match="cannot be"):
        check_listed(Listed(key, "etag:1", size))
    check_listed(Listed("ü 1.png", "etag:1", 2**63 - 1))
