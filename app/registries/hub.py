"""The Hugging Face Hub, or a server that answers as it does: repositories, their commits and files.

Not by ``huggingface_hub``: it opens sockets of its own, and the address is a tenant's. That client is what tests hold
this against.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from fnmatch import fnmatchcase
from urllib.parse import quote

from app.egress.answers import malformed
from app.egress.client import EgressClient
from app.errors import EgressFailure
from app.registries.base import Version, Wanted, is_pattern
from app.registries.hub_answers import COMMIT, DATASETS, milliseconds, siblings_of, version_of
from app.registries.hub_files import HubFiles, HubPlace
from app.registries.hub_server import HubServer
from app.registries.model_card import with_verdict
from app.registries.paging import pages
from app.registries.places import place_of
from app.registries.server_answers import Json, objects
from app.registries.uri_forms import HubUri
from app.settings import MEBIBYTE

CARD, MAX_CARD_BYTES = "README.md", 4 * MEBIBYTE
VERDICT = "salience.verdict"
REPOSITORIES, MAX_PAGES = 100, 1000
"""Of a page of repositories, and pages."""
_NUMBER = re.compile(r"/discussions/([0-9]{1,9})$")


class HubRegistry:
    """One server. Every method raises EgressFailure; its code says whether waiting may help."""

    def __init__(self, client: EgressClient, url: str, credentials: Mapping[str, str]) -> None:
        self._server = HubServer(client, url, credentials)

    def open(self, uri: str) -> HubFiles:
        named = HubUri.read(place_of(uri)[0])
        found = self._server.repository(named, blobs="true")
        return HubFiles(self._server, _named_so(named, version_of(found)), siblings_of(found))

    def pinned(self, uri: str) -> tuple[str, Version]:
        """The address by the commit, and the commit."""
        named = HubUri.read(uri)
        if COMMIT.fullmatch(named.revision):
            version = Version(named.repository, named.revision)
        else:
            version = version_of(self._server.repository(named, expand="sha"))
        version = _named_so(named, version)
        return f"hf://{version.name}@{version.version}", version

    def place(self, uri: str) -> HubPlace:
        _, version = self.pinned(uri)
        return HubPlace(self._server, version)

    def version(self, name: str, version: str) -> Version:
        """A commit, with git's time of it: what the Hub tells of a repository is the time of its last change."""
        answer = self._server.asked(f"api/models/{quote(name)}/commits/{quote(version, safe='')}")
        commit = next((one for one in objects(answer.json()) if one.get("id") == version), None)
        if commit is None:
            raise malformed("it lists no such commit")
        try:
            return Version(name, version, created_ms=milliseconds(commit.get("date")))
        except ValueError as error:
            raise malformed("it tells no commit's time") from error

    def aliased(self, name: str, alias: str) -> Version:
        """What a branch or a tag of git stands for."""
        return version_of(self._server.repository(HubUri(name, alias)))

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
            told = self._server.document(f"api/models/{quote(repository.name)}/refs")
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

        def page(cursor: str | None) -> tuple[list[Json], str | None]:
            return self._server.list_repositories(asked if cursor is None else asked | {"cursor": cursor})

        for found in pages(page, most=MAX_PAGES):
            yield from map(version_of, found)

    def propose(self, version: Version, tags: Mapping[str, str]) -> str:
        """A pull request that adds the verdict to the model card; the one that is open already stays alone."""
        summary = f"Salience audit of {version.version[:8]}: {tags.get(VERDICT, '')}"
        asked = {"type": "pull_request", "status": "open"}
        listed = self._server.document(f"api/models/{quote(version.name)}/discussions", **asked)
        if any(one.get("title") == summary for one in objects(listed.get("discussions"))):
            return "The pull request is open already."
        card = with_verdict(self._card(version), tags).encode()
        told = self._server.propose(version, summary, CARD, card)
        # The address is made here: what a Hub says is not repeated, but for the number.
        number = _NUMBER.search(str(told.get("pullRequestUrl")))
        if number is None:
            return "Proposed in a pull request."
        return f"Proposed in the pull request {self._server.url}/{version.name}/discussions/{number[1]}"

    def _card(self, version: Version) -> str:
        """Empty where there is none."""
        try:
            with self._server.fetch(version, CARD, MAX_CARD_BYTES) as download:
                return b"".join(download.pieces()).decode(errors="replace")
        except EgressFailure as failure:
            if failure.code == "registry-not-found":
                return ""
            raise

    def tries(self) -> dict[str, Callable[[], object]]:
        tries: dict[str, Callable[[], object]] = {
            "the Hub lists models": lambda: self._server.asked("api/models", limit="1"),
        }
        if self._server.shows_token:
            tries["the Hub knows the token"] = lambda: self._server.asked("api/whoami-v2")
        return tries


def _named_so(named: HubUri, version: Version) -> Version:
    """With the path under which data sets lie."""
    return replace(version, name=f"{DATASETS}/{version.name}") if named.is_dataset else version
