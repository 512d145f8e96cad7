"""The Hugging Face Hub, or a server that answers as it does: repositories, their commits and files.

Not by ``huggingface_hub``: it opens sockets of its own, and the address is a tenant's. That client is what tests hold
this against.
"""

import hashlib
import json
import re
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from app.egress.answers import Answer, Download, malformed
from app.egress.client import Call, EgressClient
from app.errors import EgressFailure
from app.registries.base import Checksum, Json, Version, Wanted, check_status, document, is_pattern, objects, safe_path
from app.registries.listed import WORDS_BYTES, Listed, Page, changed, exactly
from app.registries.model_card import with_verdict
from app.registries.paging import pages
from app.registries.uris import HubUri
from app.settings import MEBIBYTE

SERVER = "Hub of Hugging Face's kind"
NOT_WRITTEN = "The Hub keeps no tags of a commit: nothing was written back."
DATASETS = "datasets"
"""How the paths of data sets begin, where those of models begin with their owner."""
CARD, MAX_CARD_BYTES = "README.md", 4 * MEBIBYTE
VERDICT = "salience.verdict"
PAGE = 1000
REPOSITORIES, MAX_PAGES = 100, 1000
"""Of a page of repositories, and pages."""
_NEXT = re.compile(r'<([^>]*)>;\s*rel="next"')
_COMMIT = re.compile(r"[0-9a-f]{40}")
_NUMBER = re.compile(r"/discussions/([0-9]{1,9})$")


class HubRegistry:
    """One server. Every method raises EgressFailure; its code says whether waiting may help."""

    def __init__(self, client: EgressClient, url: str, credentials: Mapping[str, str]) -> None:
        self._client = client
        self._url = url.rstrip("/")
        self._credentials = credentials

    def open(self, uri: str) -> "HubFiles":
        named = HubUri.read(uri)
        found = self._repository(named, blobs="true")
        version = _version(found)
        if named.is_dataset:
            version = replace(version, name=f"{DATASETS}/{version.name}")
        return HubFiles(self, version, _siblings(found))

    def pinned(self, uri: str) -> tuple[str, Version]:
        """The address by the commit, and the commit."""
        named = HubUri.read(uri)
        if _COMMIT.fullmatch(named.revision):
            version = Version(named.repository, named.revision)
        else:
            version = _version(self._repository(named, expand="sha"))
        if named.is_dataset:
            version = replace(version, name=f"{DATASETS}/{version.name}")
        return f"hf://{version.name}@{version.version}", version

    def place(self, uri: str) -> "HubPlace":
        _, version = self.pinned(uri)
        return HubPlace(self, version)

    def version(self, name: str, version: str) -> Version:
        """A commit, with git's time of it: what the Hub tells of a repository is the time of its last change."""
        place = f"{self._url}/api/models/{quote(name)}/commits/{quote(version, safe='')}"
        answer = self._client.send(self._call("GET", place))
        check_status(answer.status, SERVER)
        commit = next((one for one in objects(answer.json()) if one.get("id") == version), None)
        if commit is None:
            raise malformed("it lists no such commit")
        try:
            return Version(name, version, created_ms=_milliseconds(commit.get("date")))
        except ValueError as error:
            raise malformed("it tells no commit's time") from error

    def aliased(self, name: str, alias: str) -> Version:
        """What a branch or a tag of git stands for."""
        return _version(self._repository(HubUri(name, alias)))

    def made(self, wanted: Wanted) -> Iterator[Version]:
        """The commit that each repository's ``main`` is at now, the newest first, until they are older."""
        for version in self._repositories(wanted.model):
            changed_at = version.registered_at
            if changed_at is not None and changed_at <= wanted.after:
                return
            yield version

    def aliases(self, wanted: Wanted) -> Iterator[tuple[str, Version]]:
        """Tags of git."""
        for repository in self._repositories(wanted.model):
            if not fnmatchcase(repository.name, wanted.model):
                continue
            place = f"{self._url}/api/models/{quote(repository.name)}/refs"
            told = document(self._client.send(self._call("GET", place)), SERVER)
            for tag in objects(told.get("tags")):
                yield str(tag.get("name")), Version(repository.name, str(tag.get("targetCommit")))

    def tagged(self, wanted: Wanted) -> Iterator[Version]:
        """None: the Hub keeps no tags of a commit."""
        del wanted
        return iter(())

    def _repositories(self, model: str) -> Iterator[Version]:
        """Of one organisation, the one that changed last first: a pattern that names none finds none."""
        owner, _, name = model.partition("/")
        if not name or is_pattern(owner):
            return
        asked = {"author": owner, "sort": "lastModified", "direction": "-1", "limit": str(REPOSITORIES), "full": "true"}

        def page(cursor: str | None) -> tuple[list[Any], str | None]:
            query = asked if cursor is None else asked | {"cursor": cursor}
            answer = self._client.send(self._call("GET", f"{self._url}/api/models?{urlencode(query)}"))
            check_status(answer.status, SERVER)
            found = answer.json()
            if not isinstance(found, list):
                raise malformed("it lists no repositories")
            return found, _cursor(answer)

        for found in pages(page, most=MAX_PAGES):
            yield from map(_version, found)

    def write(self, version: Version, tags: Mapping[str, str]) -> str | None:
        """Nothing: a note says so."""
        del version
        return NOT_WRITTEN if tags else None

    def propose(self, version: Version, tags: Mapping[str, str]) -> str:
        """A pull request that adds the verdict to the model card; the one that is open already stays alone."""
        summary = f"Salience audit of {version.version[:8]}: {tags.get(VERDICT, '')}"
        place = f"{self._url}/api/models/{quote(version.name)}"
        asked = urlencode({"type": "pull_request", "status": "open"})
        listed = document(self._client.send(self._call("GET", f"{place}/discussions?{asked}")), SERVER)
        if any(one.get("title") == summary for one in objects(listed.get("discussions"))):
            return "The pull request is open already."
        card = with_verdict(self._card(version), tags).encode()
        lines = [
            {"key": "header", "value": {"summary": summary, "description": "", "parentCommit": version.version}},
            {"key": "file", "value": {"content": b64encode(card).decode(), "path": CARD, "encoding": "base64"}},
        ]
        content = "\n".join(json.dumps(line) for line in lines).encode()
        call = replace(self._call("POST", f"{place}/commit/main?create_pr=1"), content=content)
        told = document(self._client.send(replace(call, headers={"Content-Type": "application/x-ndjson"})), SERVER)
        # The address is made here: what a Hub says is not repeated, but for the number.
        number = _NUMBER.search(str(told.get("pullRequestUrl")))
        if number is None:
            return "Proposed in a pull request."
        return f"Proposed in the pull request {self._url}/{version.name}/discussions/{number[1]}"

    def _card(self, version: Version) -> str:
        """Empty where there is none."""
        try:
            with self.fetch(version, CARD, MAX_CARD_BYTES) as download:
                return b"".join(download.pieces()).decode(errors="replace")
        except EgressFailure as failure:
            if failure.code == "registry-not-found":
                return ""
            raise

    def _call(self, method: str, url: str) -> Call:
        return Call(method, url, credentials=self._credentials)

    def tries(self) -> dict[str, Callable[[], object]]:
        listing = f"{self._url}/api/models?limit=1"
        tries: dict[str, Callable[[], object]] = {
            "the Hub lists models": lambda: self._checked(listing),
        }
        if self._credentials:
            tries["the Hub knows the token"] = lambda: self._checked(f"{self._url}/api/whoami-v2")
        return tries

    @contextmanager
    def fetch(self, version: Version, name: str, most_bytes: int) -> Iterator[Download]:
        """A file's bytes, from wherever the Hub redirects to; the token stays with the Hub."""
        with self.get(version, name, {}, most_bytes) as download:
            check_status(download.status, SERVER)
            yield download

    @contextmanager
    def get(self, version: Version, name: str, headers: Mapping[str, str], most_bytes: int) -> Iterator[Download]:
        """Whatever the Hub answers, or the store that it redirects to."""
        path = f"{quote(version.name)}/resolve/{version.version}/{quote(safe_path(name))}"
        call = Call("GET", f"{self._url}/{path}", headers, self._credentials)
        with self._client.fetch(call, most_bytes) as download:
            yield download

    def list_page(self, version: Version, cursor: str | None) -> tuple[list[Json], str | None]:
        """Files and folders of a commit, and what names the page that follows."""
        asked = {"recursive": "true", "limit": str(PAGE)} | ({} if cursor is None else {"cursor": cursor})
        kind = "" if version.name.startswith(f"{DATASETS}/") else "models/"
        url = f"{self._url}/api/{kind}{quote(version.name)}/tree/{version.version}?{urlencode(asked)}"
        answer = self._client.send(Call("GET", url, credentials=self._credentials))
        check_status(answer.status, SERVER)
        return objects(answer.json()), _cursor(answer)

    def _repository(self, named: HubUri, **query: str) -> Json:
        kind = DATASETS if named.is_dataset else "models"
        place = f"{self._url}/api/{kind}/{quote(named.repository)}/revision/{quote(named.revision, safe='')}"
        url = f"{place}?{urlencode(query)}" if query else place
        return document(self._client.send(Call("GET", url, credentials=self._credentials)), SERVER)

    def _checked(self, url: str) -> None:
        check_status(self._client.send(Call("GET", url, credentials=self._credentials)).status, SERVER)


@dataclass(frozen=True)
class HubFiles:
    """Those of one commit."""

    registry: HubRegistry
    version: Version
    siblings: Mapping[str, Json] = field(repr=False)

    def names(self) -> set[str]:
        return set(self.siblings)

    @contextmanager
    def fetch(self, name: str, most_bytes: int) -> Iterator[Download]:
        with self.registry.fetch(self.version, name, most_bytes) as download:
            yield download

    def checksum(self, name: str) -> Checksum | None:
        """SHA-256 of what lies in large file storage, else git's own name of a blob."""
        told = self.siblings[name]
        large = told.get("lfs")
        if isinstance(large, dict) and isinstance(large.get("sha256"), str):
            return Checksum("sha256", large["sha256"])
        blob, size = told.get("blobId"), told.get("size")
        if isinstance(blob, str) and _COMMIT.fullmatch(blob) and isinstance(size, int):
            return Checksum("sha1", blob, before=f"blob {size}\0".encode())
        return None


@dataclass(frozen=True)
class HubPlace:
    """One commit, listed page by page: what lies in it stays what it is, and its digests tell."""

    registry: HubRegistry
    version: Version

    def pages(self, cursor: str | None) -> Iterator[Page]:
        def page(at: str | None) -> tuple[Page, str | None]:
            found, following = self.registry.list_page(self.version, at)
            return Page([_listed(one) for one in found if one.get("type") == "file"], following), following

        return pages(page, cursor)

    def read(self, listed: Listed, offset: int, length: int) -> bytes:
        is_whole = (offset, length) == (0, listed.size)
        headers = {} if is_whole else {"Range": f"bytes={offset}-{offset + length - 1}"}
        with self.registry.get(self.version, listed.key, headers, length + WORDS_BYTES) as download:
            data = exactly(download, listed, length, is_whole=is_whole)
        if is_whole and not _is_pinned(data, listed.pin):
            raise changed(listed.key)
        return data


def _cursor(answer: Answer) -> str | None:
    """Of the page that follows."""
    following = _NEXT.search(answer.headers.get("link", ""))
    named = parse_qs(urlsplit(following[1]).query).get("cursor") if following else None
    return named[0] if named else None


def _listed(told: Json) -> Listed:
    large = told.get("lfs")
    try:
        pin = f"sha256:{large['oid']}" if isinstance(large, dict) else f"git:{told['oid']}"
        return Listed(safe_path(str(told["path"])), pin, int(told["size"]))
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise malformed("it lists a file without its digest or size") from error


def _is_pinned(data: bytes, pin: str) -> bool:
    kind, _, digest = pin.partition(":")
    before = f"blob {len(data)}\0".encode() if kind == "git" else b""
    return (
        hashlib.new("sha1" if kind == "git" else "sha256", before + data, usedforsecurity=False).hexdigest() == digest
    )


def _version(told: Any) -> Version:
    try:
        name, commit = HubUri.read(f"hf://{told['id']}").repository, str(told["sha"])
        changed = _milliseconds(told.get("lastModified"))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise malformed("it tells no repository") from error
    if not _COMMIT.fullmatch(commit):
        raise malformed("it names no commit")
    return Version(name, commit, created_ms=changed)


def _milliseconds(told: object) -> int:
    """0 where nobody says. Raises ValueError for what is no time."""
    return 0 if not told else int(datetime.fromisoformat(str(told)).timestamp() * 1000)


def _siblings(told: Json) -> dict[str, Json]:
    try:
        return {safe_path(str(one["rfilename"])): one for one in told.get("siblings") or ()}
    except (KeyError, TypeError) as error:
        raise malformed("it lists no files") from error
