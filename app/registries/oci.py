"""OCI registries: an artifact's manifest is a version, its layers are the files, a referrer carries the verdict.

Not by a client of the field, which opens sockets of its own: the address is a tenant's. Checked with Debian's
docker-registry (distribution 2.8).
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from fnmatch import fnmatchcase
from itertools import chain
from urllib.parse import urlencode, urljoin, urlsplit

from app.egress.answers import Answer, Download, malformed
from app.egress.client import Call, EgressClient
from app.errors import EgressFailure
from app.registries.base import Checksum, Json, Version, Wanted, check_status, document, is_pattern, objects, safe_path
from app.registries.paging import pages
from app.registries.uris import OciUri

SERVER = "OCI registry"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
EMPTY = "application/vnd.oci.empty.v1+json"
RESULT = "application/vnd.salience-audit.result.v1+json"
"""Of the artifact that is written back."""
ACCEPTED = f"{MANIFEST}, application/vnd.docker.distribution.manifest.v2+json"
TITLE, FILEPATH = "org.opencontainers.image.title", "org.cncf.model.filepath"
"""Annotations of a layer that say which file it is: of oras, and of ModelPack."""
UNPACK = "io.deis.oras.content.unpack"
"""Of a folder that oras packed."""
CREATED = "org.opencontainers.image.created"
PAGE, MAX_PAGES = 100, 100
"""Tags of a page of a listing, and pages: each tag that a sweep looks at takes a call."""
TAG = "tag"
"""Under which a policy's ``match.tags`` finds the tag that was pushed."""
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_CHALLENGE = re.compile(r'(\w+)="([^"]*)"')


class OciRegistry:
    """One server. Every method raises EgressFailure; its code says whether waiting may help."""

    def __init__(self, client: EgressClient, url: str, credentials: Mapping[str, str]) -> None:
        self._client = client
        self._url = url.rstrip("/")
        self._credentials = credentials
        self._tokens: dict[str, Mapping[str, str]] = {}

    def open(self, uri: str) -> "OciFiles":
        named = OciUri.read(uri)
        if named.host != urlsplit(self._url).netloc:
            raise EgressFailure("registry-not-found", f"The address is of {named.host}, which is not the connection's.")
        manifest = self._manifest(named.repository, named.reference)
        return OciFiles(self, manifest.version, manifest.layers())

    def version(self, name: str, version: str) -> Version:
        return self._manifest(name, version).version

    def aliased(self, name: str, alias: str) -> Version:
        """What a tag stands for."""
        return self._manifest(name, alias).version

    def made(self, wanted: Wanted) -> Iterator[Version]:
        """What the tags of one repository stand for, with the tag: a pattern of repositories finds none."""
        if is_pattern(wanted.model):
            return
        for tag in self._tags(wanted.model):
            if is_fallback(tag) or not fnmatchcase(tag, wanted.tags.get(TAG, "*")):
                continue
            version = self._manifest(wanted.model, tag).version
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
            query = urlencode({"n": str(PAGE)} | ({} if last is None else {"last": last}))
            answer = self._send(Call("GET", f"{self._url}/v2/{repository}/tags/list?{query}"), pulls(repository))
            tags = [str(tag) for tag in document(answer, SERVER).get("tags") or []]
            is_cut = tags and 'rel="next"' in answer.headers.get("link", "")
            return tags, tags[-1] if is_cut else None

        return chain.from_iterable(pages(page, most=MAX_PAGES))

    def write(self, version: Version, tags: Mapping[str, str]) -> str | None:
        """An artifact that refers to the version."""
        if tags:
            self._refer(version.name, self._manifest(version.name, version.version), tags)
        return None

    def give_alias(self, version: Version, alias: str) -> None:
        """As a tag."""
        manifest = self._manifest(version.name, version.version)
        self._put_manifest(version.name, alias, manifest.body, manifest.media_type)

    def tries(self) -> dict[str, Callable[[], object]]:
        return {"the registry answers": self._answers}

    @contextmanager
    def fetch(self, repository: str, digest: str, most_bytes: int) -> Iterator[Download]:
        """A blob's bytes, from wherever the registry redirects to; credentials stay with the registry."""
        scope, blob = pulls(repository), Call("GET", f"{self._url}/v2/{repository}/blobs/{digest}")
        with ExitStack() as exchange:
            download = exchange.enter_context(self._client.fetch(self._shown(blob, scope), most_bytes))
            if self._is_renewed(download.status, download.headers, scope):
                exchange.close()
                download = exchange.enter_context(self._client.fetch(self._shown(blob, scope), most_bytes))
            check_status(download.status, SERVER)
            yield download

    def _answers(self) -> None:
        check_status(self._send(Call("GET", f"{self._url}/v2/"), "").status, SERVER)

    def _manifest(self, repository: str, reference: str) -> "Manifest":
        """Raises EgressFailure, also where the bytes are not those of the digest that names them."""
        call = Call("GET", f"{self._url}/v2/{repository}/manifests/{reference}", {"Accept": ACCEPTED})
        answer = self._send(call, pulls(repository))
        told = document(answer, SERVER)
        digest = digest_of(answer.body)
        if _DIGEST.fullmatch(reference) and reference != digest:
            detail = "The bytes of a manifest are not those that its digest names."
            raise EgressFailure("artifact-corrupted", detail)
        return Manifest(repository, digest, answer.body, told)

    def _refer(self, repository: str, manifest: "Manifest", tags: Mapping[str, str]) -> None:
        content = json.dumps(dict(tags), sort_keys=True).encode()
        title = {TITLE: "salience-audit.json"}
        body = json.dumps(
            {
                "schemaVersion": 2,
                "mediaType": MANIFEST,
                "artifactType": RESULT,
                "config": self._put_blob(repository, b"{}", EMPTY),
                "layers": [self._put_blob(repository, content, RESULT) | {"annotations": title}],
                "subject": descriptor(manifest.body, manifest.media_type),
                "annotations": dict(sorted(tags.items())),
            }
        ).encode()
        answer = self._put_manifest(repository, digest_of(body), body, MANIFEST)
        if "oci-subject" not in answer.headers:
            self._list_referrer(repository, manifest, body)

    def _list_referrer(self, repository: str, manifest: "Manifest", body: bytes) -> None:
        """Registries before 1.1 list no referrers: clients look into an index, whose tag is made of the digest."""
        tag = manifest.version.version.replace(":", "-")
        call = Call("GET", f"{self._url}/v2/{repository}/manifests/{tag}", {"Accept": INDEX})
        answer = self._send(call, pulls(repository))
        before = [] if answer.status == 404 else objects(document(answer, SERVER).get("manifests"))
        ours = descriptor(body, MANIFEST) | {"artifactType": RESULT}
        others = [one for one in before if one.get("digest") != ours["digest"]]
        index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [*others, ours]}
        self._put_manifest(repository, tag, json.dumps(index).encode(), INDEX)

    def _put_blob(self, repository: str, content: bytes, media_type: str) -> Json:
        """Its descriptor, once it is there."""
        told, scope = descriptor(content, media_type), pushes(repository)
        begun = self._send(Call("POST", f"{self._url}/v2/{repository}/blobs/uploads/", content=b""), scope)
        check_status(begun.status, SERVER)
        place = urljoin(f"{self._url}/", begun.headers.get("location", ""))
        if urlsplit(place)[:2] != urlsplit(self._url)[:2]:
            raise malformed("it takes uploads at another host")
        joint = "&" if "?" in place else "?"
        headers = {"Content-Type": "application/octet-stream"}
        url = f"{place}{joint}{urlencode({'digest': told['digest']})}"
        check_status(self._send(Call("PUT", url, headers, content=content), scope).status, SERVER)
        return told

    def _put_manifest(self, repository: str, reference: str, body: bytes, media_type: str) -> Answer:
        url = f"{self._url}/v2/{repository}/manifests/{reference}"
        answer = self._send(Call("PUT", url, {"Content-Type": media_type}, content=body), pushes(repository))
        check_status(answer.status, SERVER)
        return answer

    def _send(self, call: Call, scope: str) -> Answer:
        """With the connection's credentials, or the token that they are good for."""
        answer = self._client.send(self._shown(call, scope))
        if self._is_renewed(answer.status, answer.headers, scope):
            return self._client.send(self._shown(call, scope))
        return answer

    def _shown(self, call: Call, scope: str) -> Call:
        return replace(call, credentials=self._tokens.get(scope, self._credentials))

    def _is_renewed(self, status: int, headers: Mapping[str, str], scope: str) -> bool:
        """Whether there is another token to come again with: the first one, or one in place of one that has expired."""
        challenge = headers.get("www-authenticate", "")
        if status != 401 or not challenge.lower().startswith("bearer "):
            return False
        self._tokens[scope] = self._token(dict(_CHALLENGE.findall(challenge)), scope)
        return True

    def _token(self, challenge: Mapping[str, str], scope: str) -> dict[str, str]:
        """From the server that the registry names for it, to which the credentials are shown only over TLS."""
        realm, here = urlsplit(challenge.get("realm", "")), urlsplit(self._url)
        if realm.scheme != "https" and realm[:2] != here[:2]:
            raise malformed("it names no server for tokens that credentials could be shown to")
        asked = {"service": challenge.get("service", ""), "scope": scope}
        query = urlencode({name: value for name, value in asked.items() if value})
        url = f"{challenge['realm']}{'&' if realm.query else '?'}{query}"
        told = document(self._client.send(Call("GET", url, credentials=self._credentials)), SERVER)
        token = told.get("token") or told.get("access_token")
        if not isinstance(token, str) or not re.fullmatch(r"[!-~]{1,16384}", token):
            raise malformed("it has no token")
        return {"Authorization": f"Bearer {token}"}


@dataclass(frozen=True)
class Manifest:
    """Of one artifact, as it is kept."""

    repository: str
    digest: str
    body: bytes = field(repr=False)
    told: Json = field(repr=False)

    @property
    def media_type(self) -> str:
        return str(self.told.get("mediaType") or MANIFEST)

    @property
    def version(self) -> Version:
        """Its annotations are its tags."""
        annotations = self.told.get("annotations")
        tags = {str(key): str(value) for key, value in annotations.items()} if isinstance(annotations, dict) else {}
        return Version(self.repository, self.digest, created_ms=_created_ms(tags.get(CREATED)), tags=tags)

    def layers(self) -> dict[str, str]:
        """Digests by file. Raises EgressFailure for what is no artifact with files."""
        if self.told.get("artifactType") == RESULT:
            raise EgressFailure("registry-not-found", "The artifact is a verdict of this service, and no model.")
        found: dict[str, str] = {}
        for layer in objects(self.told.get("layers")):
            name, digest = _file_of(layer), str(layer.get("digest"))
            if name is None:
                continue
            if not _DIGEST.fullmatch(digest) or name in found:
                raise malformed("a layer has no digest by SHA-256, or the name of another")
            found[safe_path(name)] = digest
        return found


@dataclass(frozen=True)
class OciFiles:
    """The layers of one manifest that are files."""

    registry: OciRegistry
    version: Version
    layers: Mapping[str, str] = field(repr=False)

    def names(self) -> set[str]:
        return set(self.layers)

    @contextmanager
    def fetch(self, name: str, most_bytes: int) -> Iterator[Download]:
        with self.registry.fetch(self.version.name, self.layers[name], most_bytes) as download:
            yield download

    def checksum(self, name: str) -> Checksum:
        return Checksum("sha256", self.layers[name].removeprefix("sha256:"))


def digest_of(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def descriptor(content: bytes, media_type: str) -> Json:
    """What names content in a manifest."""
    return {"mediaType": media_type, "digest": digest_of(content), "size": len(content)}


def is_fallback(tag: str) -> bool:
    """Whether it is the tag of an index of referrers."""
    return bool(_DIGEST.fullmatch(tag.replace("-", ":", 1)))


def pulls(repository: str) -> str:
    return f"repository:{repository}:pull"


def pushes(repository: str) -> str:
    return f"repository:{repository}:pull,push"


def _file_of(layer: Json) -> str | None:
    """None of archives, which are not opened, and of what has no name. oras calls every file a tar."""
    media_type, annotations = str(layer.get("mediaType")), layer.get("annotations")
    named = annotations if isinstance(annotations, dict) else {}
    title, path = (named.get(key) for key in (TITLE, FILEPATH))
    if media_type.endswith(("+gzip", "+zstd")) or named.get(UNPACK) == "true":
        return None
    if isinstance(title, str):
        return title
    if isinstance(path, str):
        return None if media_type.endswith(".tar") else path
    return "model.safetensors" if media_type.endswith("safetensors") else None


def _created_ms(text: str | None) -> int:
    """0 where nobody says, so that no sweep takes it for new."""
    try:
        return int(datetime.fromisoformat(text or "").timestamp() * 1000)
    except ValueError:
        return 0
