"""What the rounds with a recorded registry share: the registry, its connection and hook, and policies."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from tests.registries.making import create
from tests.registries.recorded_mlflow import RecordedMlflow, recorded_mlflow
from tests.registries.signing import SECRET

Json = dict[str, Any]
PLANTED = "planted-token-5f0c2a97d1e84b63"
PROTOCOL: Json = {"micro_batch": 4, "measures": {"entropy": {}}}


@pytest.fixture(scope="module")
def mlflow() -> Iterator[RecordedMlflow]:
    with recorded_mlflow() as server:
        yield server


@pytest.fixture(scope="module")
def connection(service: httpx.Client, mlflow: RecordedMlflow) -> Json:
    return create(service, "connections", name="m", kind="mlflow", url=mlflow.url, auth={"token": PLANTED})


@pytest.fixture(scope="module")
def hook(service: httpx.Client, connection: Json) -> Json:
    return create(service, "hooks", name="h", kind="mlflow", connection_id=connection["id"], secret=SECRET)


@pytest.fixture
def make_policy(
    service: httpx.Client, connection: Json, dataset: Json, make_gate: Callable[..., Json]
) -> Callable[..., Json]:
    def make(model: str, condition: str, **more: Any) -> Json:
        asked = {"connection_id": connection["id"], "dataset_id": dataset["id"], "sample_limit": 4}
        judged = {"gate": make_gate(condition)["id"], "write_back": {"alias_on_pass": "audited", "run": False}}
        how = {"match": {"model": model}, "protocol": PROTOCOL, **asked, **judged, **more}
        return create(service, "policies", name=model, **how)

    return make
