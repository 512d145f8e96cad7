"""A shard whose pictures other processes decode: the same rows, the same recovery, nothing left behind."""

import os
import signal
from pathlib import Path

import pytest

from tests.children import open_context
from tests.waiting import until
from tests.worker.test_replanning import finish, submit
from tests.worker.workplace import Ids
from worker.lifecycle.context import WorkerContext
from worker.shards.runner import run_claimed
from worker.shards.store import Claim
from worker.supervision.forkserver import Forkserver
from worker.supervision.watch import Watch


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, ...]]:
    """The decoders of every child that starts."""
    found: list[tuple[int, ...]] = []
    begin = Watch.begin

    def noting(watch: Watch, pid: int, decoders: tuple[int, ...]) -> None:
        begin(watch, pid, decoders)
        found.append(decoders)

    monkeypatch.setattr(Watch, "begin", noting)
    return found


def test_the_same_rows_and_nothing_left(
    at_work: WorkerContext, ids: Ids, forkserver: Forkserver, watched: list[tuple[int, ...]]
) -> None:
    expected = finish(at_work, *submit(at_work, ids, 4))
    assert watched == [()], "on two cores a thread decodes"
    audit_id, shards = submit(at_work, ids, 4)
    with open_context(at_work.settings.model_copy(update={"decoders": 2}), forkserver, "decoders") as context:
        assert finish(context, audit_id, shards) == expected
        [child] = context.children._warm.values()
        pids = watched[-1]
        assert len(pids) == 2
        for pid in pids:
            # Stopped with the child between shards; open are the streams, a line, and what limits are read from.
            until(lambda pid=pid: Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] == "T")  # type: ignore[misc]
            links = sorted(str(link.readlink()).partition(":")[0] for link in Path(f"/proc/{pid}/fd").iterdir())
            assert links == ["/dev/null", f"/proc/{pid}/status", "pipe", "pipe", "socket"]
        child_pid = child.pid
    until(lambda: forkserver.exit_status(child_pid, 0) == 0 and not any(Path(f"/proc/{pid}").exists() for pid in pids))


def test_one_that_is_killed_costs_an_attempt(
    at_work: WorkerContext, ids: Ids, forkserver: Forkserver, monkeypatch: pytest.MonkeyPatch
) -> None:
    audit_id, shards = submit(at_work, ids, 4)
    begin, killed = Watch.begin, list[int]()

    def killing(watch: Watch, pid: int, decoders: tuple[int, ...]) -> None:
        begin(watch, pid, decoders)
        if not killed:
            os.kill(decoders[0], signal.SIGKILL)
            killed.append(pid)

    monkeypatch.setattr(Watch, "begin", killing)
    attempts = []

    def noting(context: WorkerContext, claim: Claim) -> None:
        attempts.append(claim.attempt)
        run_claimed(context, claim)

    monkeypatch.setattr("tests.worker.test_replanning.run_claimed", noting)
    with open_context(at_work.settings.model_copy(update={"decoders": 2}), forkserver, "decoders") as context:
        finish(context, audit_id, [shards[0], *shards])
    assert attempts[:2] == [1, 2]
