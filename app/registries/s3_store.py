"""One endpoint that speaks S3: what it is asked, signed, by paths."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode, urlsplit
from xml.etree.ElementTree import Element

from app.egress.answers import Answer, Begun, Download
from app.egress.calls import Call
from app.egress.client import EgressClient
from app.errors import EgressFailure
from app.registries.aws_signature import AwsKey
from app.registries.s3_answers import parsed, spoken, text_of
from app.registries.server_answers import check_status

SERVER = "store that speaks S3"
PAGE = 1000
OF_ANOTHER_REGION = frozenset(
    {"AuthorizationHeaderMalformed", "PermanentRedirect", "IllegalLocationConstraintException"}
)
ANOTHER_REGION = (
    "The bucket or the store is of another region than the key signs for: name the region's own address "
    "(https://s3.REGION.amazonaws.com), or `region` in the connection's auth."
)
_AS_SIGNED: Any = {"quote_via": quote, "safe": "-_.~"}
_REGION = re.compile(r"s3[.-](?:dualstack\.)?([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?")


class S3Store:
    """Every method raises EgressFailure."""

    def __init__(self, client: EgressClient, url: str, plain: Mapping[str, str]) -> None:
        """``plain`` has the access key as user and password, perhaps its region; or nothing for public buckets."""
        self._client = client
        self._url = url.rstrip("/")
        region = _REGION.fullmatch(urlsplit(url).hostname or "")
        signed = plain.get("region") or (region[1] if region else "us-east-1")
        named = (plain.get("username"), plain.get("password"), signed)
        self._key = AwsKey(named[0], named[1], named[2]) if named[0] and named[1] else None

    @property
    def shows_key(self) -> bool:
        return self._key is not None

    def answers(self) -> None:
        """To list buckets is a right that few keys have: a store that denies it has found the signature right."""
        url = f"{self._url}/"
        answer = self._client.send(Call("GET", url, credentials=self._signed("GET", url)))
        kind, code = spoken(answer)
        if kind is None or answer.status >= 500:
            _check(answer)
            raise EgressFailure("registry-not-found", f"The address answers, but is no {SERVER}.")
        if self.shows_key and code != "AccessDenied":
            _check(answer)

    @contextmanager
    def get(
        self, path: str, headers: Mapping[str, str], most_bytes: int, begun: Begun | None = None
    ) -> Iterator[Download]:
        """Whatever the store answers."""
        url = f"{self._url}/{path}"
        call = Call("GET", url, headers, self._signed("GET", url))
        with self._client.fetch(call, most_bytes, begun) as download:
            yield download

    def keeps_versions(self, bucket: str) -> bool:
        """False also where the key may not ask."""
        try:
            return text_of(parsed(self._asked(f"{self._url}/{bucket}?versioning=")), "Status") == "Enabled"
        except EgressFailure as failure:
            if failure.passing:
                raise
            return False

    def list_page(self, bucket: str, **asked: str) -> Element:
        # What is signed has its names in their order.
        named = {name.replace("_", "-"): value for name, value in asked.items()}
        return parsed(self._asked(f"{self._url}/{bucket}?{as_signed(named, PAGE)}"))

    def _asked(self, url: str) -> bytes:
        answer = self._client.send(Call("GET", url, credentials=self._signed("GET", url)))
        _check(answer)
        return answer.body

    def _signed(self, method: str, url: str) -> dict[str, str]:
        return {} if self._key is None else self._key.headers(method, url, datetime.now(UTC))


def _check(answer: Answer) -> None:
    """Raises EgressFailure; where the region is wrong, with the way out."""
    if not answer.ok and spoken(answer)[1] in OF_ANOTHER_REGION:
        raise EgressFailure("registry-refuses", ANOTHER_REGION)
    check_status(answer.status, SERVER)


def as_signed(named: Mapping[str, str], page: int) -> str:
    """The query of a page of a listing."""
    return urlencode(sorted({**named, "encoding-type": "url", "max-keys": str(page)}.items()), **_AS_SIGNED)


def object_path(bucket: str, key: str, version: str | None = None) -> str:
    """Below the endpoint: of the object, or of one of its versions."""
    query = "" if version is None else f"?{urlencode({'versionId': version}, **_AS_SIGNED)}"
    return f"{bucket}/{quote(key, safe='/-_.~')}{query}"
