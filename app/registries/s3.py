"""S3, or a store that speaks like it: a folder of a bucket is a version, pinned by its objects' ETags."""

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, unquote_plus, urlencode, urlsplit
from xml.etree.ElementTree import Element

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring

from app.egress.answers import Answer, Download, malformed
from app.egress.client import Call, EgressClient
from app.errors import EgressFailure
from app.registries.aws_signature import AwsKey
from app.registries.base import Version, WithoutVersions, check_status, safe_path
from app.registries.listed import WORDS_BYTES, Listed, Page, exactly
from app.registries.named_files import BESIDE, belongs_to, names_file
from app.registries.paging import pages
from app.registries.uris import S3Uri

SERVER = "store that speaks S3"
Decoder = Callable[[str], str]
PAGE = 1000
MOST_OBJECTS = 100_000
"""Of a folder: each is fetched by a call of its own."""
ETAG, VERSION = "etag:", "version:"
"""What begins a pin."""
OF_ANOTHER_REGION = frozenset(
    {"AuthorizationHeaderMalformed", "PermanentRedirect", "IllegalLocationConstraintException"}
)
ANOTHER_REGION = (
    "The bucket or the store is of another region than the key signs for: name the region's own address "
    "(https://s3.REGION.amazonaws.com), or `region` in the connection's auth."
)
_AS_SIGNED: Any = {"quote_via": quote, "safe": "-_.~"}
_REGION = re.compile(r"s3[.-](?:dualstack\.)?([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?")


class S3Registry(WithoutVersions):
    """One endpoint, spoken to by paths. Every method raises EgressFailure."""

    def __init__(self, client: EgressClient, url: str, plain: Mapping[str, str]) -> None:
        """``plain`` has the access key as user and password, perhaps its region; or nothing for public buckets."""
        self._client = client
        self._url = url.rstrip("/")
        region = _REGION.fullmatch(urlsplit(url).hostname or "")
        signed = plain.get("region") or (region[1] if region else "us-east-1")
        named = (plain.get("username"), plain.get("password"), signed)
        self._key = AwsKey(named[0], named[1], named[2]) if named[0] and named[1] else None

    def open(self, uri: str) -> "S3Files":
        named = S3Uri.read(uri)
        above, _, file = named.folder.rpartition("/")
        place = S3Uri(named.bucket, above)
        etags = self._beside(place, file) if names_file(file) else {}
        if not etags:
            place, etags = named, self._listed(named)
        seen = hashlib.sha256("\n".join(f"{name} {etag}" for name, etag in sorted(etags.items())).encode())
        return S3Files(self, place, Version(named.name, seen.hexdigest()), etags)

    def pinned(self, uri: str) -> tuple[str, Version]:
        """A folder of a bucket has no version: its objects have."""
        named = S3Uri.read(uri)
        return uri, Version(named.name, "")

    def place(self, uri: str) -> "S3Place":
        return S3Place(self, S3Uri.read(uri))

    def tries(self) -> dict[str, Callable[[], object]]:
        return {"the store speaks S3" if self._key is None else "the store knows the key": self._answers}

    def _answers(self) -> None:
        """To list buckets is a right that few keys have: a store that denies it has found the signature right."""
        url = f"{self._url}/"
        answer = self._client.send(Call("GET", url, credentials=self._signed("GET", url)))
        kind, code = _spoken(answer)
        if kind is None or answer.status >= 500:
            _check(answer)
            raise EgressFailure("registry-not-found", f"The address answers, but is no {SERVER}.")
        if self._key is not None and code != "AccessDenied":
            _check(answer)

    @contextmanager
    def fetch(self, bucket: str, key: str, etag: str, most_bytes: int) -> Iterator[Download]:
        """The object that was listed, and no later one."""
        with self.get(f"{bucket}/{quoted(key)}", {"If-Match": etag}, most_bytes) as download:
            if download.status == 412:
                raise EgressFailure("artifact-corrupted", "An object was changed after it was listed.")
            check_status(download.status, SERVER)
            yield download

    @contextmanager
    def get(self, path: str, headers: Mapping[str, str], most_bytes: int) -> Iterator[Download]:
        """Whatever the store answers."""
        url = f"{self._url}/{path}"
        with self._client.fetch(Call("GET", url, headers, self._signed("GET", url)), most_bytes) as download:
            yield download

    def keeps_versions(self, bucket: str) -> bool:
        """False also where the key may not ask."""
        try:
            return _text_of(_parsed(self._asked(f"{self._url}/{bucket}?versioning=")), "Status") == "Enabled"
        except EgressFailure as failure:
            if failure.passing:
                raise
            return False

    def list_page(self, bucket: str, **asked: str) -> Element:
        # What is signed has its names in their order.
        named = {name.replace("_", "-"): value for name, value in asked.items()}
        query = urlencode(sorted({**named, "encoding-type": "url", "max-keys": str(PAGE)}.items()), **_AS_SIGNED)
        return _parsed(self._asked(f"{self._url}/{bucket}?{query}"))

    def _listed(self, named: S3Uri) -> dict[str, str]:
        """ETags by path below the folder."""
        etags: dict[str, str] = {}
        for page in S3Place(self, named).current(""):
            etags |= {safe_path(one.key): one.pin.removeprefix(ETAG) for one in page.objects}
            if len(etags) > MOST_OBJECTS:
                detail = f"The folder has more than {MOST_OBJECTS} objects; name a smaller one, or pack an archive."
                raise EgressFailure("answer-too-large", detail)
        if not etags:
            raise EgressFailure("registry-not-found", "The bucket has neither a file nor a folder of that name.")
        return etags

    def _beside(self, place: S3Uri, file: str) -> dict[str, str]:
        """ETags of the file and of what belongs to it; empty where the folder has no such file."""
        etags: dict[str, str] = {}
        for name in (file, *BESIDE):
            # What has this name comes before what only begins with it.
            root = self.list_page(place.bucket, list_type="2", prefix=place.prefix + name)
            decoded = _decoder(root)
            for one in root.iterfind("{*}Contents"):
                etags[_key(one, decoded).removeprefix(place.prefix)] = _text_of(one, "ETag")
            if file not in etags:
                return {}
        return {name: etag for name, etag in etags.items() if belongs_to(file, name)}

    def _asked(self, url: str) -> bytes:
        answer = self._client.send(Call("GET", url, credentials=self._signed("GET", url)))
        _check(answer)
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
        key = self.place.prefix + safe_path(name)
        with self.registry.fetch(self.place.bucket, key, self.etags[name], most_bytes) as download:
            yield download

    def checksum(self, name: str) -> None:
        """None: an ETag is no digest where a store encrypts, or took the object in parts."""
        del name


@dataclass(frozen=True)
class S3Place:
    """One folder, listed in the order of its keys, from behind any of them: each object by its version where the
    bucket keeps them, else by its ETag."""

    registry: S3Registry
    named: S3Uri

    def pages(self, cursor: str | None) -> Iterator[Page]:
        if self.registry.keeps_versions(self.named.bucket):
            try:
                yield from self.versions(cursor or "")
            except EgressFailure as failure:
                # To list versions is a right of its own; refused, it is so from the first page on.
                if failure.code != "registry-refuses":
                    raise
            else:
                return
        yield from self.current(cursor or "")

    def current(self, behind: str) -> Iterator[Page]:
        """By ETags, behind that key."""

        def page(before: str | None) -> tuple[Page, str | None]:
            after = {"start_after": before} if before else {}
            root = self.registry.list_page(self.named.bucket, list_type="2", prefix=self.named.prefix, **after)
            found = root.findall("{*}Contents")
            return self._page(root, found, found, before)

        return pages(page, behind)

    def versions(self, behind: str) -> Iterator[Page]:
        """By versions, of which the latest of a key come first."""

        def page(before: str | None) -> tuple[Page, str | None]:
            after = {"key_marker": before} if before else {}
            root = self.registry.list_page(self.named.bucket, versions="", prefix=self.named.prefix, **after)
            latest = [one for one in root.iterfind("{*}Version") if _text_of(one, "IsLatest") == "true"]
            # The last key that was told: behind it the next page begins, and older versions of it are not asked for.
            told = [one for one in root if one.tag.endswith(("}Version", "}DeleteMarker"))]
            return self._page(root, latest, told, before)

        return pages(page, behind)

    def _page(
        self, root: Element, found: list[Element], told: list[Element], before: str | None
    ) -> tuple[Page, str | None]:
        """What an answer lists, and the key that the next page begins behind, if there is one."""
        decoded = _decoder(root)
        last = _key(told[-1], decoded) if told else before
        is_cut = _text_of(root, "IsTruncated").lower() == "true"
        return Page([*self._objects(found, decoded)], last or None), last if is_cut else None

    def read(self, listed: Listed, offset: int, length: int) -> bytes:
        is_whole = (offset, length) == (0, listed.size)
        headers = {} if is_whole else {"Range": f"bytes={offset}-{offset + length - 1}"}
        path = f"{self.named.bucket}/{quoted(self.named.prefix + listed.key)}"
        if listed.pin.startswith(VERSION):
            path += f"?{urlencode({'versionId': listed.pin.removeprefix(VERSION)}, **_AS_SIGNED)}"
        else:
            headers["If-Match"] = listed.pin.removeprefix(ETAG)
        with self.registry.get(path, headers, length + WORDS_BYTES) as download:
            return exactly(download, listed, length, is_whole=is_whole)

    def _objects(self, found: Iterable[Element], decoded: Decoder) -> Iterator[Listed]:
        """Without the empty objects that stand for folders."""
        for one in found:
            key, version = _key(one, decoded), _text_of(one, "VersionId")
            if key.startswith(self.named.prefix) and not key.endswith("/"):
                # What was put there while a bucket kept no versions has the version null, and may be written over.
                pin = f"{VERSION}{version}" if version not in {"", "null"} else f"{ETAG}{_text_of(one, 'ETag')}"
                yield Listed(key.removeprefix(self.named.prefix), pin, _size(one))


def _check(answer: Answer) -> None:
    """Raises EgressFailure; where the region is wrong, with the way out."""
    if not answer.ok and _spoken(answer)[1] in OF_ANOTHER_REGION:
        raise EgressFailure("registry-refuses", ANOTHER_REGION)
    check_status(answer.status, SERVER)


def _spoken(answer: Answer) -> tuple[str | None, str]:
    """What an answer about no bucket is, and its code where it is an error; None of a server that is no such store."""
    try:
        root = fromstring(answer.body)
    except (ParseError, DefusedXmlException, ValueError):
        # Amazon's own sends whoever shows no key to a page for people.
        return ("Redirect" if "x-amz-request-id" in answer.headers else None), ""
    kind = root.tag.rpartition("}")[2]
    return (kind, root.findtext("{*}Code") or "") if kind in {"ListAllMyBucketsResult", "Error"} else (None, "")


def quoted(key: str) -> str:
    return quote(key, safe="/-_.~")


def _parsed(body: bytes) -> Element:
    try:
        root: Element = fromstring(body)
    except (ParseError, DefusedXmlException, ValueError) as error:
        raise malformed("it is no XML") from error
    return root


def _text_of(element: Element, name: str) -> str:
    return element.findtext(f"{{*}}{name}") or ""


def _decoder(root: Element) -> Decoder:
    """Of the answer's keys. Encoded they are as form fields: a space is a plus on Amazon's servers, ``%20`` on others;
    and a store may not encode what it was asked to."""
    return unquote_plus if _text_of(root, "EncodingType") == "url" else str


def _key(element: Element, decoded: Decoder) -> str:
    return decoded(_text_of(element, "Key"))


def _size(element: Element) -> int:
    text = _text_of(element, "Size")
    if not (text.isascii() and text.isdecimal() and len(text) < 20):
        raise malformed("it lists an object without a size")
    return int(text)
