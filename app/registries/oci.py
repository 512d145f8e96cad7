"""OCI registries: an artifact's manifest is a version, its layers are the files, a referrer carries the verdict.

Not by a client of the field, which opens sockets of its own: the address is a tenant's. Checked with Debian's
docker-registry (distribution 2.8).
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from itertools import chain
from urllib.parse import urlsplit

from app.egress.answers import Begun, Download
from app.egress.client import EgressClient
from app.errors import EgressFailure
from app.registries.base import Version, Wanted, is_pattern
from app.registries.checksums import Checksum
from app.registries.oci_manifest import (
    EMPTY,
    INDEX,
    MANIFEST,
    RESULT,
    TITLE,
    Manifest,
    descriptor,
    digest_of,
    is_fallback,
)
from app.registries.oci_server import SERVER, OciServer
from app.registries.paging import pages
from app.registries.server_answers import document, objects
from app.registries.uri_forms import OciUri

PAGE, MAX_PAGES = 100, 100
"""Tags of a page of a listing, and pages: each tag that a sweep looks at takes a call."""
TAG = "tag"
"""Under which a policy's ``match.tags`` finds the tag that was pushed."""


class OciRegistry:
    """One server. Every method raises EgressFailure; its code says whether waiting may help."""

    def __init__(self, client: EgressClient, url: str, credentials: Mapping[str, str]) -> None:
        self._server = OciServer(client, url, credentials)

    def open(self, uri: str) -> "OciFiles":
        named = OciUri.read(uri)
        if named.host != urlsplit(self._server.url).netloc:
            raise EgressFailure("registry-not-found", f"The address is of {named.host}, which is not the connection's.")
        manifest = self._server.manifest(named.repository, named.reference)
        return OciFiles(self._server, manifest.version, manifest.layers())

    def version(self, name: str, version: str) -> Version:
        return self._server.manifest(name, version).version

    def aliased(self, name: str, alias: str) -> Version:
        """What a tag stands for."""
        return self._server.manifest(name, alias).version

    def made(self, wanted: Wanted) -> Iterator[Version]:
        """What the tags of one repository stand for, with the tag: a pattern of repositories finds none."""
        if is_pattern(wanted.model):
            return
        for tag in self._tags(wanted.model):
            if is_fallback(tag) or not fnmatchcase(tag, wanted.tags.get(TAG, "*")):
                continue
            version = self._server.manifest(wanted.model, tag).version
            if version.registered_at is None or version.registered_at > wanted.after:
                yield replace(version, tags={TAG: tag})

    def aliases(self, wanted: Wanted) -> Iterator[tuple[str, Version]]:
        """None: a tag that is pushed is a version."""
        del wanted
        return iter(())

    def tagged(self, wanted: Wanted) -> Iterator[Version]:
        del wanted
        return iter(())

    def _tags(self, repository: str) -> Iterator[str]:
        """Page by page; in which order, each registry says for itself."""

        def page(last: str | None) -> tuple[list[str], str | None]:
            asked = {"n": str(PAGE)} | ({} if last is None else {"last": last})
            tags, is_more = self._server.list_tags(repository, asked)
            return tags, tags[-1] if tags and is_more else None

        return chain.from_iterable(pages(page, most=MAX_PAGES))

    def write(self, version: Version, tags: Mapping[str, str]) -> str | None:
        """An artifact that refers to the version."""
        if tags:
            self._refer(version.name, self._server.manifest(version.name, version.version), tags)
        return None

    def give_alias(self, version: Version, alias: str) -> None:
        """As a tag."""
        manifest = self._server.manifest(version.name, version.version)
        self._server.put_manifest(version.name, alias, manifest.body, manifest.media_type)

    def tries(self) -> dict[str, Callable[[], object]]:
        return {"the registry answers": self._server.answers}

    def _refer(self, repository: str, manifest: Manifest, tags: Mapping[str, str]) -> None:
        content = json.dumps(dict(tags), sort_keys=True).encode()
        title = {TITLE: "salience-audit.json"}
        body = json.dumps(
            {
                "schemaVersion": 2,
                "mediaType": MANIFEST,
                "artifactType": RESULT,
                "config": self._server.put_blob(repository, b"{}", EMPTY),
                "layers": [self._server.put_blob(repository, content, RESULT) | {"annotations": title}],
                "subject": descriptor(manifest.body, manifest.media_type),
                "annotations": dict(sorted(tags.items())),
            }
        ).encode()
        answer = self._server.put_manifest(repository, digest_of(body), body, MANIFEST)
        if "oci-subject" not in answer.headers:
            self._list_referrer(repository, manifest, body)

    def _list_referrer(self, repository: str, manifest: Manifest, body: bytes) -> None:
        """Registries before 1.1 list no referrers: clients look into an index, whose tag is made of the digest."""
        tag = manifest.version.version.replace(":", "-")
        answer = self._server.asked(repository, tag, INDEX)
        before = [] if answer.status == 404 else objects(document(answer, SERVER).get("manifests"))
        ours = descriptor(body, MANIFEST) | {"artifactType": RESULT}
        others = [one for one in before if one.get("digest") != ours["digest"]]
        index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [*others, ours]}
        self._server.put_manifest(repository, tag, json.dumps(index).encode(), INDEX)


@dataclass(frozen=True)
class OciFiles:
    """The layers of one manifest that are files."""

    server: OciServer
    version: Version
    layers: Mapping[str, str] = field(repr=False)

    def names(self) -> set[str]:
        return set(self.layers)

    @contextmanager
    def fetch(self, name: str, most_bytes: int, begun: Begun | None = None) -> Iterator[Download]:
        with self.server.fetch(self.version.name, self.layers[name], most_bytes, begun) as download:
            yield download

    def pin(self, name: str) -> str:
        """Its digest."""
        return self.layers[name]

    def checksum(self, name: str) -> Checksum:
        return Checksum("sha256", self.layers[name].removeprefix("sha256:"))
