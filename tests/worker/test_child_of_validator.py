"""An uploaded model is looked into by a process of its own: whatever becomes of that one, the worker lives on."""

import os
import signal
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

from app.db.session import transaction
from app.db.tables import ModelRow
from app.domain.vocabulary import ResourceStatus
from tests.children import open_context
from tests.faults.cluster import children_of
from tests.worker.workplace import RUNS, upload_model
from worker.intake.models import validate_model
from worker.lifecycle.context import WorkerContext
from worker.supervision.endings import DeviceFailed, OutOfGpuMemory
from worker.supervision.events import Event
from worker.supervision.forkserver import Forkserver
from worker.supervision.process import ChildProcess


def read(context: WorkerContext, model_id: UUID) -> ModelRow:
    with transaction(context.engine) as session:
        return session.get_one(ModelRow, model_id)


@pytest.mark.parametrize(
    ("limits", "code", "said"),
    [
        ({"child_batch_seconds": 0.001}, "model-too-slow", "longer than 0.001 seconds"),
        ({"child_memory_bytes": 50 * 1024**2}, "model-needs-too-much-memory", "the limit is 52428800 bytes"),
    ],
)
def test_limits(context: WorkerContext, forkserver: Forkserver, limits: dict[str, Any], code: str, said: str) -> None:
    model_id = upload_model(context, RUNS[0])
    with open_context(context.settings.model_copy(update=limits), forkserver, "limited") as other:
        validate_model(other, model_id)
    problem = read(context, model_id).problem or {}
    assert (problem["code"], said in problem["detail"]) == (code, True)
    assert not children_of(os.getpid())
    good = upload_model(context, RUNS[0])
    validate_model(context, good)
    assert read(context, good).status == ResourceStatus.READY


def test_names_of_more_classes_than_the_model_has(context: WorkerContext) -> None:
    model_id = upload_model(context, RUNS[0])
    with transaction(context.engine) as session:
        session.get_one(ModelRow, model_id).class_names = ["face", "non_face", "cat"]
    validate_model(context, model_id)
    found = read(context, model_id)
    detail = "class_names has 3 names, but the model has 2 outputs."
    assert (found.status, found.problem) == ("rejected", {"code": "model-output-mismatch", "detail": detail})


@pytest.mark.parametrize(
    ("raised", "code", "said"),
    [
        (
            OutOfGpuMemory("CUDA out of memory."),
            "model-needs-too-much-memory",
            "The GPU has no memory for it. CUDA out",
        ),
        (
            DeviceFailed("CUDA error: device-side assert triggered"),
            "device-failed",
            "Each time the device failed: CUDA",
        ),
    ],
)
def test_what_a_gpu_says_rejects_the_model(
    context: WorkerContext, monkeypatch: pytest.MonkeyPatch, raised: Exception, code: str, said: str
) -> None:
    """And leaves it not ``validating`` for ever."""
    model_id = upload_model(context, RUNS[0])

    def replies(_: ChildProcess) -> Iterator[Event]:
        raise raised
        yield

    monkeypatch.setattr(ChildProcess, "_replies", replies)
    validate_model(context, model_id)
    found = read(context, model_id)
    assert found.problem is not None
    assert (found.status, found.problem["code"], said in found.problem["detail"]) == ("rejected", code, True)


@pytest.mark.parametrize(("kills", "status"), [(1, ResourceStatus.READY), (3, ResourceStatus.REJECTED)])
def test_crashes_are_tried_again(
    context: WorkerContext, monkeypatch: pytest.MonkeyPatch, kills: int, status: ResourceStatus
) -> None:
    model_id = upload_model(context, RUNS[0])
    killed: set[int] = set()
    replies = ChildProcess._replies

    def killing(child: ChildProcess) -> Iterator[Event]:
        """Once it has its job, not while it starts: a child that cannot start is not the model's fault."""
        if len(killed) < kills:
            os.kill(child.pid, signal.SIGKILL)
            killed.add(child.pid)
            while True:  # what it said before goes unheard, and its death is raised
                child._next_event()
        yield from replies(child)

    monkeypatch.setattr(ChildProcess, "_replies", killing)
    validate_model(context, model_id)
    model = read(context, model_id)
    assert (model.status, len(killed)) == (status, kills)
    if status == ResourceStatus.REJECTED:
        assert model.problem is not None
        assert model.problem["code"] == "model-crashed-worker"
        assert "SIGKILL" in model.problem["detail"]
