"""The files of one commit of a Hub: fetched by their names, or listed and read where they lie."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from app.egress.answers import Begun, Download
from app.registries.base import Version
from app.registries.checksums import Checksum
from app.registries.hub_answers import COMMIT, is_pinned, listed_of
from app.registries.hub_server import HubServer
from app.registries.listed import WORDS_BYTES, Listed, Page, changed, exactly
from app.registries.paging import pages
from app.registries.server_answers import Json


@dataclass(frozen=True)
class HubFiles:
    """Those of one commit."""

    server: HubServer
    version: Version
    siblings: Mapping[str, Json] = field(repr=False)

    def names(self) -> set[str]:
        return set(self.siblings)

    @contextmanager
    def fetch(self, name: str, most_bytes: int, begun: Begun | None = None) -> Iterator[Download]:
        with self.server.fetch(self.version, name, most_bytes, begun) as download:
            yield download

    def pin(self, name: str) -> str:
        """The commit: what lies in it stays what it is."""
        return f"{self.version.name}@{self.version.version} {name}"

    def checksum(self, name: str) -> Checksum | None:
        """SHA-256 of what lies in large file storage, else git's own name of a blob."""
        told = self.siblings[name]
        large = told.get("lfs")
        if isinstance(large, dict) and isinstance(large.get("sha256"), str):
            return Checksum("sha256", large["sha256"])
        blob, size = told.get("blobId"), told.get("size")
        if isinstance(blob, str) and COMMIT.fullmatch(blob) and isinstance(size, int):
            return Checksum("sha1", blob, before=f"blob {size}\0".encode())
        return None


@dataclass(frozen=True)
class HubPlace:
    """One commit, listed page by page: what lies in it stays what it is, and its digests tell."""

    server: HubServer
    version: Version

    def pages(self, cursor: str | None, beginning: str = "") -> Iterator[Page]:
        """As of any `Place`."""

        def page(at: str | None) -> tuple[Page, str | None]:
            found, following = self.server.list_page(self.version, at)
            files = (listed_of(one) for one in found if one.get("type") == "file")
            return Page([one for one in files if one.key.startswith(beginning)], following), following

        return pages(page, cursor)

    def read(self, listed: Listed, offset: int, length: int) -> bytes:
        is_whole = (offset, length) == (0, listed.size)
        headers = {} if is_whole else {"Range": f"bytes={offset}-{offset + length - 1}"}
        with self.server.get(self.version, listed.key, headers, length + WORDS_BYTES) as download:
            data = exactly(download, listed, length, is_whole=is_whole)
        if is_whole and not is_pinned(data, listed.pin):
            raise changed(listed.key)
        return data
