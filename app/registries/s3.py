"""S3, or a store that speaks like it: a folder of a bucket is a version, pinned by its objects' ETags."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from app.egress.answers import Begun, Download
from app.egress.client import EgressClient
from app.errors import EgressFailure
from app.registries.base import Version
from app.registries.named_files import BESIDE, belongs_to, names_file
from app.registries.s3_answers import decoder, key_of, text_of
from app.registries.s3_place import ETAG, S3Place
from app.registries.s3_store import SERVER, S3Store, object_path
from app.registries.server_answers import check_status, safe_path
from app.registries.uri_forms import S3Uri
from app.registries.without_versions import WithoutVersions

MOST_OBJECTS = 100_000
"""Of a folder: each is fetched by a call of its own."""


class S3Registry(WithoutVersions):
    """One endpoint, spoken to by paths. Every method raises EgressFailure."""

    def __init__(self, client: EgressClient, url: str, plain: Mapping[str, str]) -> None:
        """``plain`` as of `S3Store`."""
        self.store = S3Store(client, url, plain)

    def open(self, uri: str) -> "S3Files":
        named = S3Uri.read(uri)
        above, _, file = named.folder.rpartition("/")
        place = S3Uri(named.bucket, above)
        etags = self._beside(place, file) if names_file(file) else {}
        if not etags:
            place, etags = named, self._listed(named)
        seen = hashlib.sha256("\n".join(f"{name} {etag}" for name, etag in sorted(etags.items())).encode())
        return S3Files(self.store, place, Version(named.name, seen.hexdigest()), etags)

    def pinned(self, uri: str) -> tuple[str, Version]:
        """A folder of a bucket has no version: its objects have."""
        return uri, Version(S3Uri.read(uri).name, "")

    def place(self, uri: str) -> S3Place:
        return S3Place(self.store, S3Uri.read(uri))

    def tries(self) -> dict[str, Callable[[], object]]:
        return {"the store knows the key" if self.store.shows_key else "the store speaks S3": self.store.answers}

    def _listed(self, named: S3Uri) -> dict[str, str]:
        """ETags by path below the folder."""
        etags: dict[str, str] = {}
        for page in S3Place(self.store, named).current(""):
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
            root = self.store.list_page(place.bucket, list_type="2", prefix=place.prefix + name)
            decoded = decoder(root)
            for one in root.iterfind("{*}Contents"):
                etags[key_of(one, decoded).removeprefix(place.prefix)] = text_of(one, "ETag")
            if file not in etags:
                return {}
        return {name: etag for name, etag in etags.items() if belongs_to(file, name)}


@dataclass(frozen=True)
class S3Files:
    """Those of one folder, as they were listed."""

    store: S3Store
    place: S3Uri
    version: Version
    etags: Mapping[str, str] = field(repr=False)

    def names(self) -> set[str]:
        return set(self.etags)

    @contextmanager
    def fetch(self, name: str, most_bytes: int, begun: Begun | None = None) -> Iterator[Download]:
        """The object that was listed, and no later one."""
        path = object_path(self.place.bucket, self.place.prefix + safe_path(name))
        with self.store.get(path, {"If-Match": self.etags[name]}, most_bytes, begun) as download:
            if download.status == 412:
                raise EgressFailure("artifact-corrupted", "An object was changed after it was listed.")
            check_status(download.status, SERVER)
            yield download

    def pin(self, name: str) -> str | None:
        """Where it lies, with its ETag."""
        etag = self.etags[name]
        return f"{self.place.name} {name} {etag}" if etag else None

    def checksum(self, name: str) -> None:
        """None: an ETag is no digest where a store encrypts, or took the object in parts."""
        del name
