"""A small audit that the client itself made on the running service."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from prepare import build_archive

from salience_audit import Client
from tests.waiting import RECIPE, WEIGHTS

Json = dict[str, Any]

OF_ONE: Json = {"micro_batch": 4, "measures": {"entropy": {}, "noise_reaction": {"curve": []}}}
OF_SEVERAL: Json = {"micro_batch": 4, "measures": OF_ONE["measures"] | {"stability": {}}}
SAMPLES = 6
RUNS = ("cross_entropy_run1", "human_guided_run1")


@pytest.fixture(autouse=True)
def unnamed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Whatever the machine's owner has configured is not for the tests."""
    for name in ("URL", "API_KEY", "CONFIG"):
        monkeypatch.delenv(f"SALIENCE_AUDIT_{name}", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("SALIENCE_AUDIT_DATA", str(tmp_path / "data"))


@pytest.fixture(scope="session")
def address(service: httpx.Client) -> tuple[str, str]:
    """The running service's, and its key."""
    return str(service.base_url), service.headers["authorization"].removeprefix("Bearer ")


@pytest.fixture(scope="session")
def client(address: tuple[str, str]) -> Iterator[Client]:
    with Client(*address) as client:
        yield client


@pytest.fixture(scope="session")
def faces(client: Client) -> Json:
    return client.push_dataset(build_archive(), name="faces of the client")


@pytest.fixture(scope="session")
def runs(client: Client) -> list[Json]:
    """Under names that nothing else of the service has."""
    return [
        client.push_model(WEIGHTS / f"{run}.safetensors", description=RECIPE | {"name": f"{run} of the client"})
        for run in RUNS
    ]


@pytest.fixture(scope="session")
def audit(client: Client, faces: Json, runs: list[Json]) -> Json:
    group = client.create_run_group("of the client", [run["id"] for run in runs])
    started = client.run_audit(faces["id"], run_group_id=group["id"], protocol=OF_SEVERAL, sample_limit=SAMPLES)
    return client.wait(started["id"])
