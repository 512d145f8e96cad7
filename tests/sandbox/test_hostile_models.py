"""Networks that misbehave only once they are audited, through the whole service: what becomes of the audits."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from prepare import build_archive
from safetensors.torch import save

from app.db.migrations import upgrade
from app.db.session import make_engine
from tests.datasets.packing import make_tar, picture
from tests.faults.cluster import Cluster, Worker, children_of
from tests.faults.servers import Servers
from tests.keys import insert_test_key, make_key
from tests.sandbox.attackers import HOSTILE, WEIGHTS
from tests.waiting import PATIENCE_SECONDS, RECIPE, until, upload, upload_run, wait_for

LIMITS = {"CHILD_BATCH_SECONDS": "30", "CHILD_SCRATCH_BYTES": str(64 * 1024**2), "LEASE_SECONDS": "120"}
LIMITS["CHILD_SCRATCH_FILES"] = "1000"  # on a busy machine, ten thousand files may take longer than a batch may
IMPATIENT = LIMITS | {"CHILD_BATCH_SECONDS": "8"}


@pytest.fixture(scope="module")
def cluster(open_folder: Path) -> Iterator[Cluster]:
    folder = open_folder / "hostile"
    servers = Servers(folder)
    engine = make_engine(servers.postgres.url)
    upgrade(engine)
    insert_test_key(engine)
    engine.dispose()
    cluster = Cluster(servers, folder)
    cluster.start_api()
    yield cluster
    cluster.close()


@pytest.fixture(scope="module")
def worker(cluster: Cluster) -> Worker:
    return start_worker(cluster, LIMITS)


@pytest.fixture(scope="module")
def impatient(cluster: Cluster, dataset_id: str) -> Worker:
    """In the place of ``worker``: nothing that needs that one may come after."""
    cluster.stop_workers()
    return start_worker(cluster, IMPATIENT)


def start_worker(cluster: Cluster, limits: dict[str, str]) -> Worker:
    search = os.pathsep.join(filter(None, (str(HOSTILE), os.environ.get("PYTHONPATH"))))
    return cluster.start_worker(PYTHONPATH=search, **limits)


@pytest.fixture(scope="module")
def dataset_id(cluster: Cluster, worker: Worker) -> str:
    dataset_id: str = upload(cluster.client, "datasets", {"name": "faces"}, build_archive())["id"]
    return dataset_id


def register(cluster: Cluster, attack: str) -> dict[str, Any]:
    preprocessing = RECIPE["preprocessing"] | {"input_size": 64}
    description = RECIPE | {"name": attack, "architecture": f"timm/{attack}", "preprocessing": preprocessing}
    return upload(cluster.client, "models", description, save(WEIGHTS))


def audit(cluster: Cluster, dataset_id: str, attack: str) -> dict[str, Any]:
    """The audit of a network that bore its probe well, once it has ended."""
    model = register(cluster, f"{attack}.later")
    assert model["status"] == "ready", model["problem"]
    parts = {"dataset_id": dataset_id, "model_ids": [model["id"]]}
    return cluster.wait(cluster.submit(parts, measures=MEASURES, micro_batch=FOUR))


MEASURES: dict[str, Any] = {"entropy": {}}
FOUR = 4
"""Images at once; attacks spare the few of a probe and the eight of a timing."""


@pytest.mark.parametrize(
    ("attack", "code", "detail"),
    [
        ("allocate", "audit-resource-limit", "attempt 1"),
        ("long_files", "audit-resource-limit", "attempt 1"),
        ("long_file", "audit-resource-limit", "attempt 1"),
        ("many_files", "audit-resource-limit", "attempt 1"),
        ("segfault", "model-crashed-worker", "attempt 3"),
        ("ptrace", "model-crashed-worker", "forbidden system call"),
        ("break_device", "device-failed", "samples 0 to 4, as it did at these samples before: CUDA error: an illegal"),
    ],
)
def test_the_audit_fails_and_says_why(
    cluster: Cluster, worker: Worker, dataset_id: str, attack: str, code: str, detail: str
) -> None:
    check_failed(audit(cluster, dataset_id, attack), code, detail)
    check_unharmed(worker)


def check_failed(ended: dict[str, Any], code: str, detail: str) -> None:
    assert (ended["status"], ended["problem"]["code"]) == ("failed", code)
    assert detail in ended["problem"]["detail"]


def check_unharmed(worker: Worker) -> None:
    """It lives, and nothing is left of its child."""
    until(lambda: not worker.scratch_folders())
    assert not children_of(worker.process.pid)
    assert worker.process.poll() is None


@pytest.mark.parametrize(
    ("attack", "code"),
    [
        ("allocate", "model-needs-too-much-memory"),
        ("many_files", "model-needs-too-much-space"),
        ("segfault", "model-crashed-worker"),
        ("fork", "model-output-mismatch"),
    ],
)
def test_the_model_is_rejected(cluster: Cluster, worker: Worker, attack: str, code: str) -> None:
    model = register(cluster, attack)
    assert (model["status"], model["problem"]["code"]) == ("rejected", code)
    until(lambda: not worker.scratch_folders())


def test_prints_do_not_fill_the_log(cluster: Cluster, worker: Worker, dataset_id: str) -> None:
    assert audit(cluster, dataset_id, "print_some")["status"] == "succeeded"


def test_outputs_that_are_not_finite_are_counted(cluster: Cluster, worker: Worker, dataset_id: str) -> None:
    ended = audit(cluster, dataset_id, "nan")
    assert ended["status"] == "succeeded", ended["problem"]
    results = cluster.client.get(f"/v1/audits/{ended['id']}/results").json()
    (summary,) = [one for one in results["summaries"] if (one["view"], one["group"]) == ("spatial", "micro")]
    assert summary["n"] > 0
    assert summary["n_undefined"] > 0
    rows = cluster.client.get(f"/v1/audits/{ended['id']}/samples", headers={"Accept": "text/csv"}).text
    undefined = [row for row in rows.splitlines() if ",entropy,spatial,," in row]
    assert len(undefined) == summary["n_undefined"]
    assert all("nonfinite-output" in row for row in undefined)


def test_no_finite_output_at_all(cluster: Cluster, worker: Worker, dataset_id: str) -> None:
    ended = audit(cluster, dataset_id, "all_nan")
    assert (ended["status"], ended["problem"]["code"]) == ("failed", "no-valid-samples")


def test_weights_that_were_changed_on_disk(cluster: Cluster, worker: Worker, dataset_id: str) -> None:
    """One bit of the stored canonical form; nothing is guessed."""
    model = upload_run(cluster.client, "cross_entropy_run1")
    (digest,) = cluster.query("SELECT stored_digest FROM models WHERE id = %s", model["id"])[0]
    (path,) = (cluster.folder / "blobs").rglob(digest.removeprefix("sha256:"))
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    ended = cluster.wait(cluster.submit({"dataset_id": dataset_id, "model_ids": [model["id"]]}, measures=MEASURES))
    assert (ended["status"], ended["problem"]["code"]) == ("failed", "artifact-corrupted")


def test_pixels_that_were_changed_on_disk(cluster: Cluster, worker: Worker) -> None:
    """In a tar, whose entries carry no checksums."""
    pictures = {f"{label}/{number}.bmp": picture(number, kind="BMP") for label in "ab" for number in range(4)}
    dataset = upload(cluster.client, "datasets", {"name": "tar"}, make_tar(pictures))
    model = upload_run(cluster.client, "cross_entropy_run3")
    parts = {"dataset_id": dataset["id"], "model_ids": [model["id"]]}
    assert cluster.wait(cluster.submit(parts, measures=MEASURES))["status"] == "succeeded"
    (digest,) = cluster.query("SELECT stored_digest FROM datasets WHERE id = %s", dataset["id"])[0]
    (path,) = (cluster.folder / "blobs").rglob(digest.removeprefix("sha256:"))
    data = bytearray(path.read_bytes())
    data[512 + 200] ^= 1
    path.write_bytes(data)
    ended = cluster.wait(cluster.submit(parts, measures=MEASURES, seed=1))
    assert (ended["status"], ended["problem"]["code"]) == ("failed", "artifact-corrupted")


def test_a_model_that_crashes_costs_nobody_else(cluster: Cluster, worker: Worker, dataset_id: str) -> None:
    """Another tenant's audit shares the worker with it."""
    crashing = register(cluster, "segfault.later")
    crashes = cluster.crashes("model")
    with other_tenant(cluster) as other:
        faces = upload(other, "datasets", {"name": "faces"}, build_archive())["id"]
        good = upload_run(other, "cross_entropy_run2")["id"]
        parts = {"dataset_id": dataset_id, "model_ids": [crashing["id"]]}
        bad = cluster.submit(parts, measures=MEASURES, micro_batch=FOUR)
        body = {"dataset_id": faces, "model_ids": [good], "sample_limit": 36, "protocol": {"measures": MEASURES}}
        path = f"/v1/audits/{other.post('/v1/audits', json=body).json()['id']}"
        check_failed(cluster.wait(bad), "model-crashed-worker", "attempt 3")
        assert wait_for(other, path, "succeeded", "failed")["status"] == "succeeded"
    assert cluster.crashes("model") == crashes + 3
    assert worker.process.poll() is None


@contextmanager
def other_tenant(cluster: Cluster) -> Iterator[httpx.Client]:
    engine = make_engine(cluster.database_url)
    headers = {"Authorization": f"Bearer {make_key(engine, 'another')}"}
    engine.dispose()
    with httpx.Client(base_url=cluster.client.base_url, headers=headers, timeout=PATIENCE_SECONDS) as client:
        yield client


def test_after_all_that_a_good_model_is_audited(cluster: Cluster, worker: Worker, dataset_id: str) -> None:
    model = upload_run(cluster.client, "cross_entropy_run2")
    parts = {"dataset_id": dataset_id, "model_ids": [model["id"]]}
    assert cluster.wait(cluster.submit(parts, measures=MEASURES))["status"] == "succeeded"
    assert worker.process.poll() is None
    assert not list(Path(worker.temporary).glob("*canary*"))


class TestSleepers:
    """Last in this file: a worker of less patience takes the other's place."""

    def test_the_model_is_rejected(self, cluster: Cluster, impatient: Worker) -> None:
        model = register(cluster, "sleep")
        assert (model["status"], model["problem"]["code"]) == ("rejected", "model-too-slow")
        until(lambda: not impatient.scratch_folders())

    def test_the_audit_fails_and_says_why(self, cluster: Cluster, impatient: Worker, dataset_id: str) -> None:
        check_failed(audit(cluster, dataset_id, "sleep"), "audit-timeout", "attempt 2")
        check_unharmed(impatient)

    def test_after_that_a_good_model_is_audited(self, cluster: Cluster, impatient: Worker, dataset_id: str) -> None:
        assert audit(cluster, dataset_id, "nothing")["status"] == "succeeded"
        assert impatient.process.poll() is None
