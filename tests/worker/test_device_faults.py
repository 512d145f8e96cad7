"""A GPU that fails under a shard fails no audit, unless it fails at the same samples again."""

from typing import Any

import pytest
from sqlalchemy import select

from app.db.session import transaction
from app.db.tables import DatasetRow, SampleRow, ShardRow
from app.domain.vocabulary import AuditStatus, DeviceClass
from app.errors import TransientFailure
from tests.children import open_context
from tests.worker.test_replanning import claim, finish, read_audit, submit
from tests.worker.workplace import Ids
from worker.intake.image_examiner import ImageExaminer
from worker.lifecycle.context import WorkerContext
from worker.shards import device_faults
from worker.shards.computing import Computation
from worker.shards.runner import run_claimed
from worker.supervision import children
from worker.supervision.endings import DeviceFailed
from worker.supervision.forkserver import Forkserver
from worker.supervision.process import ChildProcess

WORDS = "CUDA error: uncorrectable ECC error encountered"


def fail_at(monkeypatch: pytest.MonkeyPatch, done: int) -> None:
    """Whatever is computed next ends so after so many samples."""

    def converse(run: Computation, *_: object) -> Any:
        run._done, run._micro_batch = done, 1
        raise DeviceFailed(WORDS)

    monkeypatch.setattr(Computation, "_converse", converse)


def test_another_try_costs_no_attempt(at_work: WorkerContext, ids: Ids, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = finish(at_work, *submit(at_work, ids, 8))
    audit_id, shards = submit(at_work, ids, 8)
    with monkeypatch.context() as patch:
        fail_at(patch, 0)
        held = claim(at_work, shards[0])
        run_claimed(at_work, held)
        with transaction(at_work.engine) as session:
            assert session.get_one(ShardRow, shards[0]).device_faults == [0]
    assert read_audit(at_work, audit_id).status == AuditStatus.RUNNING
    assert held.attempt == 1
    assert finish(at_work, audit_id, shards) == expected
    with transaction(at_work.engine) as session:
        assert session.get_one(ShardRow, shards[0]).attempt == 1


@pytest.mark.parametrize(
    ("places", "most", "said"),
    [
        ((0, 0), 10, f"The device failed at samples 0 to 1, as it did at these samples before: {WORDS}"),
        ((0, 1), 10, f"The device failed at samples 1 to 2, as it did at these samples before: {WORDS}"),
        ((0,), 1, f"The device failed at samples 0 to 1, after 0 other faults in this shard: {WORDS}"),
    ],
)
def test_the_same_samples_again_fail_the_audit(
    at_work: WorkerContext,
    ids: Ids,
    monkeypatch: pytest.MonkeyPatch,
    places: tuple[int, ...],
    most: int,
    said: str,
) -> None:
    """Or those beside them, since a device is heard late; or too many times wherever it was."""
    monkeypatch.setattr(device_faults, "MOST_FAULTS", most)
    monkeypatch.setattr(type(at_work.children), "device_works", lambda _: True)
    audit_id, shards = submit(at_work, ids, 8)
    for done in places:
        fail_at(monkeypatch, done)
        run_claimed(at_work, claim(at_work, shards[0]))
    problem = read_audit(at_work, audit_id).problem
    assert problem == {"code": "device-failed", "detail": said}


def test_a_worker_whose_device_serves_no_other_process_ends(
    at_work: WorkerContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert at_work.children.device_works()
    ended: list[str] = []
    monkeypatch.setattr(children, "_end_worker", ended.append)

    def start(_: ChildProcess) -> None:
        raise TransientFailure("child-not-started", WORDS)

    monkeypatch.setattr(ChildProcess, "start", start)
    assert not at_work.children.device_works()
    assert ended == [f"its device has failed, and serves no other process: {WORDS}"]


def test_pictures_are_decoded_without_the_gpu(at_work: WorkerContext, ids: Ids, forkserver: Forkserver) -> None:
    """By a worker of a GPU, here one that no torch could find: a context would take seconds and half a gigabyte."""
    with transaction(at_work.engine) as session:
        samples = session.scalars(select(SampleRow).where(SampleRow.dataset_id == ids[0]).limit(3)).all()
        digest = session.get_one(DatasetRow, ids[0]).content_digest or ""
    with open_context(at_work.settings.model_copy(update={"device": "cuda"}), forkserver, "gpu") as context:
        assert context.device_class is DeviceClass.GPU
        found = ImageExaminer(context, digest).examine(samples)
    assert [facts.code for facts in found] == [None, None, None]
