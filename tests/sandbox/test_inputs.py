"""What a child reads: files that are handed over, and parts of a remote archive that its parent fetches for it."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import pytest

from app.domain.vocabulary import ModelFormat
from app.errors import InputFailure, TransientFailure
from app.imaging.entries import ArchiveEntry
from app.settings import Settings
from app.storage.blobs import BlobStore
from tests.datasets.packing import make_zip, picture
from tests.sandbox.attackers import settings
from tests.storage.stores import make_bucket
from tests.stored import put
from tests.waiting import RECIPE, WEIGHTS
from worker.archives.listing import list_entries
from worker.supervision.events import Answer
from worker.supervision.forkserver import Forkserver
from worker.supervision.process import ChildProcess
from worker.wire.facts import ImageFacts, ModelFacts
from worker.wire.job_parts import JobSample
from worker.wire.jobs import ImagesJob, ModelJob
from worker.wire.replies import Reply


@pytest.fixture(scope="module")
def child() -> Iterator[ChildProcess]:
    forkserver = Forkserver()
    child = ChildProcess(settings(), forkserver)
    yield child
    child.kill()
    forkserver.close()


def images_job(blobs: BlobStore) -> ImagesJob:
    digest = put(blobs, make_zip({f"a/{number}.png": picture(number) for number in range(5)}))
    entries = list_entries(blobs, digest, Settings()).entries
    samples = (JobSample(label=None, **facts(entry)) for entry in entries if not entry.is_folder)
    return ImagesJob(archive_digest=digest, samples=tuple(samples))


def facts(entry: ArchiveEntry) -> dict[str, Any]:
    return {name: value for name, value in asdict(entry).items() if name in JobSample.model_fields}


def model_job(digest: str) -> ModelJob:
    architecture = RECIPE["architecture"]
    return ModelJob(
        digest=digest,
        format=ModelFormat.SAFETENSORS,
        architecture=architecture,
        input_size=64,
        target_layer=None,
        preprocessing={"input_size": 64, "mean": [0.0], "std": [1.0]},
    )


def replies(child: ChildProcess, job: ImagesJob | ModelJob, blobs: BlobStore) -> list[Reply]:
    return [answer.reply for answer in child.converse(job, blobs) if isinstance(answer, Answer)]


def check_all(child: ChildProcess, blobs: BlobStore) -> None:
    found = [reply for reply in replies(child, images_job(blobs), blobs) if isinstance(reply, ImageFacts)]
    assert [facts.number for facts in found] == list(range(5))
    assert all(facts.code is None for facts in found)
    digest = put(blobs, (WEIGHTS / "cross_entropy_run1.safetensors").read_bytes())
    assert any(isinstance(reply, ModelFacts) for reply in replies(child, model_job(digest), blobs))


def test_of_a_folder(child: ChildProcess, blobs: BlobStore) -> None:
    check_all(child, blobs)


def test_of_a_bucket(child: ChildProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its credentials stay with the parent; what is away is told as that."""
    with make_bucket(monkeypatch) as bucket:
        blobs = BlobStore.from_settings(bucket.settings())
        check_all(child, blobs)
        job = images_job(blobs)
    with pytest.raises(TransientFailure, match="storage-unavailable"):
        replies(child, job, blobs)


def test_contents_that_are_gone_or_changed(child: ChildProcess, blobs: BlobStore) -> None:
    digest = put(blobs, b"neither")
    blobs.delete(digest)
    with pytest.raises(InputFailure, match="artifact-corrupted"):
        replies(child, model_job(digest), blobs)
