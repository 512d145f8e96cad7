"""The files of one version of MLflow's, as its tracking server hands them out."""

import hashlib
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from app.egress.answers import Begun, Download
from app.registries.base import Version
from app.registries.server_answers import Json
from app.settings import MEBIBYTE

FOLDERS = ("data", "extra_files", "model", "components/image_processor")
"""Of MLflow's layouts, those that are looked into beside the version's own."""
LOGGED, MOST_LOGGED_BYTES = "MLmodel", MEBIBYTE
"""Has an id and the time at which the model was logged."""


class Artifacts(Protocol):
    """Of one server. Every method raises EgressFailure."""

    def folder(self, version: Version) -> str: ...

    def files(self, folder: str) -> dict[str, Json]: ...

    def fetch(
        self, folder: str, name: str, most_bytes: int, begun: Begun | None = None
    ) -> AbstractContextManager[Download]: ...


@dataclass(frozen=True)
class MlflowFiles:
    """Those of one version; the server tells no digests."""

    server: Artifacts
    version: Version

    @cached_property
    def _folder(self) -> str:
        return self.server.folder(self.version)

    @cached_property
    def _sizes(self) -> dict[str, str]:
        """Of the files of the folders that are looked into, as they are told."""
        top = self.server.files(self._folder)
        found = _sizes_of(top)
        for inner in FOLDERS:
            if top.get(inner.partition("/")[0], {}).get("is_dir"):
                listed = _sizes_of(self.server.files(f"{self._folder}/{inner}"))
                found |= {f"{inner}/{name}": size for name, size in listed.items()}
        return found

    @cached_property
    def _logged(self) -> str:
        """Tells the model from another that was logged to the same place later."""
        if LOGGED not in self._sizes:
            return ""
        with self.server.fetch(self._folder, LOGGED, MOST_LOGGED_BYTES) as download:
            return hashlib.sha256(b"".join(download.pieces())).hexdigest()

    def names(self) -> set[str]:
        """Of the folders that are looked into."""
        return set(self._sizes)

    @contextmanager
    def fetch(self, name: str, most_bytes: int, begun: Begun | None = None) -> Iterator[Download]:
        with self.server.fetch(self._folder, name, most_bytes, begun) as download:
            yield download

    def pin(self, name: str) -> str | None:
        """By its size and what the model was logged with."""
        size = self._sizes.get(name)
        if not size or name == LOGGED:
            return None
        return f"{self._folder} {name} {size} {self.version.created_ms} {self._logged}"

    def checksum(self, name: str) -> None:
        del name


def _sizes_of(listed: dict[str, Json]) -> dict[str, str]:
    return {name: str(one.get("file_size") or "") for name, one in listed.items() if not one.get("is_dir")}
