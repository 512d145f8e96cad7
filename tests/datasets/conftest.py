"""Archives that are judged without a service."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.embedded.postgres import EmbeddedPostgres
from app.errors import InputFailure
from app.imaging.entries import ArchiveEntry
from app.settings import Settings
from app.storage.blobs import BlobStore
from tests.children import open_context
from tests.databases import new_database
from tests.stored import put
from worker.archives.listing import Listing, list_entries, seekable
from worker.lifecycle.context import WorkerContext
from worker.supervision.forkserver import Forkserver


class Archives:
    """Puts archives into a store and looks into them as the indexer does."""

    def __init__(self, folder: Path) -> None:
        self.settings = Settings(blob_store=str(folder))
        self.blobs = BlobStore.from_settings(self.settings)

    def put(self, content: bytes) -> str:
        """Its digest, once it can be read at random."""
        return seekable(self.blobs, put(self.blobs, content), self.settings)

    def listing(self, content: bytes, name_encoding: str | None = None) -> Listing:
        return list_entries(self.blobs, self.put(content), self.settings, name_encoding)

    def entries(self, content: bytes) -> list[ArchiveEntry]:
        return list(list_entries(self.blobs, self.put(content), self.settings).entries)

    def judge(self, content: bytes, naming: str = "") -> str:
        """The code of the problem, or ``ok``; a problem's text must hold ``naming``."""
        try:
            self.entries(content)
        except InputFailure as failure:
            return failure.code if naming in failure.detail else failure.detail
        return "ok"


@pytest.fixture
def archives(tmp_path: Path) -> Archives:
    return Archives(tmp_path)


@pytest.fixture(scope="module")
def context(
    postgres: EmbeddedPostgres, broker_url: str, tmp_path_factory: pytest.TempPathFactory, forkserver: Forkserver
) -> Iterator[WorkerContext]:
    """One child and one database for a file: each test looks at the data sets alone that it made."""
    blobs = str(tmp_path_factory.mktemp("blobs"))
    with new_database(postgres) as url:
        settings = Settings(database_url=url, broker_url=broker_url, blob_store=blobs, device="cpu")
        with open_context(settings, forkserver) as context:
            yield context
