"""One cluster for all faults, the digest of an undisturbed run, and the table at the end."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from prepare import build_archive

from app.db.migrations import upgrade
from app.db.session import make_engine
from tests.faults.cluster import Cluster, Worker
from tests.faults.servers import Servers
from tests.keys import insert_test_key
from tests.waiting import upload, upload_run

Recovery = Callable[[str], AbstractContextManager[None]]
_TABLE = pytest.StashKey[list[tuple[str, float, str]]]()


@pytest.fixture(scope="package")
def cluster(open_folder: Path) -> Iterator[Cluster]:
    folder = open_folder / "faults"
    servers = Servers(folder)
    engine = make_engine(servers.postgres.url)
    upgrade(engine)
    insert_test_key(engine)
    engine.dispose()
    cluster = Cluster(servers, folder)
    cluster.start_api()
    yield cluster
    cluster.close()


@pytest.fixture
def worker(cluster: Cluster) -> Worker:
    """With the settings that all have: the one that outlived the last fault, where one did, as it takes ten seconds
    to start.
    """
    return cluster.one_worker()


@pytest.fixture(autouse=True)
def _no_worker_of_others(request: pytest.FixtureRequest, cluster: Cluster) -> Iterator[None]:
    """A test that starts workers of its own begins and ends without any."""
    if "worker" in request.fixturenames:
        yield
        return
    cluster.stop_workers()
    yield
    cluster.stop_workers()


class Begun(NamedTuple):
    """A data set and two models, and the digest of a run that nothing happened to."""

    parts: dict[str, Any]
    digest: str


@pytest.fixture(scope="package")
def begun(cluster: Cluster) -> Begun:
    cluster.one_worker()
    dataset = upload(cluster.client, "datasets", {"name": "faces"}, build_archive())
    models = [upload_run(cluster.client, f"cross_entropy_run{run}") for run in (1, 2)]
    parts = {"dataset_id": dataset["id"], "model_ids": [model["id"] for model in models]}
    audit_id = cluster.submit(parts)
    assert cluster.wait(audit_id)["status"] == "succeeded"
    return Begun(parts, cluster.digest(audit_id))


@pytest.fixture(scope="package")
def parts(begun: Begun) -> dict[str, Any]:
    return begun.parts


@pytest.fixture(scope="package")
def undisturbed(begun: Begun) -> str:
    return begun.digest


@pytest.fixture
def recovering(request: pytest.FixtureRequest) -> Recovery:
    """Times the block under the name of a fault."""

    @contextmanager
    def timed(fault: str) -> Iterator[None]:
        started, outcome = time.monotonic(), "no"
        try:
            yield
            outcome = "yes"
        finally:
            table = request.config.stash.setdefault(_TABLE, [])
            table.append((fault, time.monotonic() - started, outcome))

    return timed


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    table = terminalreporter.config.stash.get(_TABLE, [])
    if table:
        terminalreporter.write_line(f"{'fault':<50} {'recovered in':>12}  as promised")
    for fault, seconds, outcome in table:
        terminalreporter.write_line(f"{fault:<50} {seconds:>10.1f} s  {outcome}")
