"""S3, or a store that speaks like it: a folder of a bucket is a version, pinned by its objects' ETags."""

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import quote, unquote, urlencode, urlsplit

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring

from app.egress.answers import Download, malformed
from app.egress.client import Call, EgressClient
from app.errors import EgressFailure
from app.registries.aws_signature import AwsKey
from app.registries.base import Version, WithoutVersions, check_status, safe_path
from app.registries.uris import S3Uri

SERVER = "store that speaks S3"
PAGE = 1000
MOST_OBJECTS = 100_000
"""Of a folder: each is fetched by a call of its own."""
_REGION = re.compile(r"s3[.-](?:dualstack\.)?([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?")


class S3Registry(WithoutVersions):
    """One endpoint, spoken to by paths. Every method raises EgressFailure."""

    def __init__(self, client: EgressClient, url: str, plain: Mapping[str, str]) -> None:
        """``plain`` has the access key as user and password, or nothing for public buckets."""
        self._client = client
        self._url = url.rstrip("/")
        region = _REGION.fullmatch(urlsplit(url).hostname or "")
        named = (plain.get("username"), plain.get("password"), region[1] if region else "us-east-1")
        self._key = AwsKey(named[0], named[1], named[2]) if named[0] and named[1] else None

    def open(self, uri: str) -> "S3Files":
        named = S3Uri.read(uri)
        etags = self._listed(named)
        seen = hashlib.sha256("\n".join(f"{name} {etag}" for name, etag in sorted(etags.items())).encode())
        return S3Files(self, named, Version(f"{named.bucket}/{named.folder}", seen.hexdigest()), etags)

    def tries(self) -> dict[str, Callable[[], object]]:
        if self._key is None:
            return {"the store answers": lambda: self._client.deliver(Call("GET", f"{self._url}/"))}
        return {"the store lists the key's buckets": lambda: self._asked(f"{self._url}/")}

    @contextmanager
    def fetch(self, bucket: str, key: str, etag: str, most_bytes: int) -> Iterator[Download]:
        """The object that was listed, and no later one."""
        url = f"{self._url}/{bucket}/{quote(key, safe='/-_.~')}"
        call = Call("GET", url, {"If-Match": etag}, self._signed("GET", url))
        with self._client.fetch(call, most_bytes) as download:
            if download.status == 412:
                raise EgressFailure("artifact-corrupted", "An object was changed after it was listed.")
            check_status(download.status, SERVER)
            yield download

    def _listed(self, named: S3Uri) -> dict[str, str]:
        """ETags by path below the folder."""
        prefix, etags = f"{named.folder}/", dict[str, str]()
        asked = {"encoding-type": "url", "list-type": "2", "max-keys": str(PAGE), "prefix": prefix}
        following: str | None = ""
        while following is not None:
            named_page = {"continuation-token": following} if following else {}
            # What is signed has its names in their order.
            query = urlencode(sorted({**asked, **named_page}.items()), quote_via=quote, safe="-_.~")
            page, following = _page(self._asked(f"{self._url}/{named.bucket}?{query}"), prefix)
            etags |= page
            if len(etags) > MOST_OBJECTS:
                detail = f"The folder has more than {MOST_OBJECTS} objects; name a smaller one, or pack an archive."
                raise EgressFailure("answer-too-large", detail)
        if not etags:
            raise EgressFailure("registry-not-found", "The bucket has nothing in that folder.")
        return etags

    def _asked(self, url: str) -> bytes:
        answer = self._client.send(Call("GET", url, credentials=self._signed("GET", url)))
        check_status(answer.status, SERVER)
        return answer.body

    def _signed(self, method: str, url: str) -> dict[str, str]:
        return {} if self._key is None else self._key.headers(method, url, datetime.now(UTC))


@dataclass(frozen=True)
class S3Files:
    """Those of one folder, as they were listed."""

    registry: S3Registry
    place: S3Uri
    version: Version
    etags: Mapping[str, str] = field(repr=False)

    def names(self) -> set[str]:
        return set(self.etags)

    @contextmanager
    def fetch(self, name: str, most_bytes: int) -> Iterator[Download]:
        key = f"{self.place.folder}/{safe_path(name)}"
        with self.registry.fetch(self.place.bucket, key, self.etags[name], most_bytes) as download:
            yield download

    def checksum(self, name: str) -> None:
        """None: an ETag is no digest where a store encrypts, or took the object in parts."""
        del name


def _page(body: bytes, prefix: str) -> tuple[dict[str, str], str | None]:
    """ETags by path, and what names the page that follows."""
    try:
        root = fromstring(body)
    except (ParseError, DefusedXmlException, ValueError) as error:
        raise malformed("it is no XML") from error
    found: dict[str, str] = {}
    for one in root.iterfind("{*}Contents"):
        key, etag = unquote(one.findtext("{*}Key") or ""), one.findtext("{*}ETag") or ""
        if key.startswith(prefix) and not key.endswith("/"):
            found[safe_path(key.removeprefix(prefix))] = etag
    is_cut = (root.findtext("{*}IsTruncated") or "").lower() == "true"
    following = root.findtext("{*}NextContinuationToken") if is_cut else None
    if is_cut and not (following and found):
        raise malformed("it lists pages without an end")
    return found, following
