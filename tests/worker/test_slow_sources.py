"""A source that answers slowly is not held against the process that waits for its images."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from prepare import build_archive

import worker.supervision.events as module
from app.errors import TransientFailure
from app.settings import Settings
from app.storage.blobs import BlobStore
from tests.children import BorrowedChildren
from tests.stored import put
from worker.archives.listing import list_entries
from worker.supervision.children import Children
from worker.supervision.events import Answer
from worker.supervision.forkserver import Forkserver
from worker.wire.facts import ImageFacts
from worker.wire.job_parts import JobSample
from worker.wire.jobs import ImagesJob

STEP_SECONDS = 0.8


class SlowStore(BlobStore):
    """As one behind a network that is slower than any step may be."""

    @property
    def is_local(self) -> bool:
        return False

    def read_range(self, digest: str, offset: int, length: int) -> bytes:
        time.sleep(1.5 * STEP_SECONDS)
        return super().read_range(digest, offset, length)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(blob_store=str(tmp_path), device="cpu", child_batch_seconds=STEP_SECONDS)


@pytest.fixture
def job(settings: Settings) -> ImagesJob:
    """Of two images of an archive in the store."""
    blobs = BlobStore.from_settings(settings)
    digest = put(blobs, build_archive())
    files = [entry for entry in list_entries(blobs, digest, settings).entries if not entry.is_folder]
    return ImagesJob(archive_digest=digest, samples=tuple(map(JobSample.of_entry, files[:2])))


@pytest.fixture
def children(settings: Settings, forkserver: Forkserver) -> Iterator[Children]:
    children = BorrowedChildren(settings, forkserver)
    yield children
    children.close()


def test_reading_counts_apart(settings: Settings, job: ImagesJob, children: Children) -> None:
    with children.fresh() as child:
        events = list(child.converse(job, SlowStore.from_settings(settings)))
    found = [event.reply for event in events if isinstance(event, Answer) and isinstance(event.reply, ImageFacts)]
    assert [one.code for one in found] == [None, None]


def test_but_not_for_ever(
    settings: Settings, job: ImagesJob, children: Children, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "READING_LIMITS", 1)
    with children.fresh() as child, pytest.raises(TransientFailure, match=r"not read in 0\.8 seconds") as caught:
        list(child.converse(job, SlowStore.from_settings(settings)))
    assert caught.value.code == "source-unavailable"
