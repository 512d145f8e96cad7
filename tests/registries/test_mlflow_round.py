"""From a registered version to its verdict tags and the moved alias, with a real MLflow server and its real webhook."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from mlflow_server import MlflowServer, mlflow_program, mlflow_server

from app.egress.addresses import AddressGuard
from app.egress.client import EgressClient
from app.registries.base import Wanted
from app.registries.mlflow import MlflowRegistry
from tests.registries.making import create
from tests.waiting import until, wait_for

Json = dict[str, Any]

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(mlflow_program() is None, reason="MLflow is missing (make integration installs it)"),
]
SECRET = "a secret of sixteen or more"
PROTOCOL: Json = {"micro_batch": 4, "measures": {"entropy": {}}}
WITHIN = "entropy.spatial.mean <= 1"
BEYOND = "entropy.spatial.mean <= 0.01"


@pytest.fixture(scope="module")
def mlflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MlflowServer]:
    with mlflow_server(tmp_path_factory.mktemp("mlflow")) as server:
        yield server


@pytest.fixture(scope="module")
def connection(service: httpx.Client, mlflow: MlflowServer) -> Json:
    return create(service, "connections", name="m", kind="mlflow", url=mlflow.url)


@pytest.fixture(scope="module")
def hook(service: httpx.Client, mlflow: MlflowServer, connection: Json) -> Json:
    made = create(service, "hooks", name="h", kind="mlflow", connection_id=connection["id"], secret=SECRET)
    assert made["secret"] == SECRET
    mlflow.tell(str(service.base_url.join(f"/v1/hooks/{made['id']}/deliveries")), SECRET)
    return made


@pytest.fixture
def policy(
    service: httpx.Client, connection: Json, dataset: Json, make_gate: Callable[..., Json]
) -> Callable[..., Json]:
    def make(model: str, condition: str, **more: Any) -> Json:
        gate = make_gate(condition)
        asked = {
            "connection_id": connection["id"],
            "dataset_id": dataset["id"],
            "protocol": PROTOCOL,
            "sample_limit": 4,
        }
        write_back = {"alias_on_pass": "audited"}
        return create(
            service,
            "policies",
            name=model,
            match={"model": model},
            gate=gate["id"],
            write_back=write_back,
            **(asked | more),
        )

    return make


def test_connection_works(service: httpx.Client, connection: Json) -> None:
    told = service.post(f"/v1/connections/{connection['id']}/test").json()
    assert told["works"], told


def test_version_gets_verdict_and_alias(
    service: httpx.Client, mlflow: MlflowServer, hook: Json, policy: Callable[..., Json]
) -> None:
    policy("good", WITHIN, sample_limit=24)  # of fewer than 20 a number says nothing, and is no metric
    version = mlflow.register("good", "pickled")
    tags = until(lambda: _judged(mlflow, "good", version))
    assert tags["salience.verdict"] == "passed"
    assert float(tags["salience.entropy"].split()[0]) > 0
    assert until(lambda: mlflow.aliased("good", "audited")) == version
    audit = service.get(f"/v1/audits/{tags['salience.audit_id']}").json()
    assert audit["status"] == "succeeded"
    run = until(lambda: _run_with_report(mlflow, "good", version))
    assert run["metrics"]["salience.entropy"] == pytest.approx(float(tags["salience.entropy"]), rel=1e-5)
    assert run["files"] == [f"salience/{audit['id']}/report.html"]
    model = service.get(f"/v1/models/{audit['model_ids'][0]}").json()
    assert model["source"]["file"] == "data/model.pth"
    assert model["description"]["architecture"]["from"] == "salience.json"
    assert model["description"]["format"]["from"] == "artifact"
    log = until(lambda: _ended(service, hook))
    created = [one for one in log if one["event"] == "model_version.created"]
    assert [(one["outcome"], one["audit_id"]) for one in created] == [("audited", audit["id"])]
    # Our own tags and alias come back as events, and end there.
    assert {one["outcome"] for one in log if one["event"] != "model_version.created"} <= {"ignored", "pending"}


@pytest.mark.parametrize(
    ("layout", "field", "origin"),
    [
        ("pt2", "architecture", "MLmodel"),
        ("state_dict", "architecture", "registry"),
        ("onnx", "class_names", "MLmodel"),
        ("transformers", "architecture", "config.json"),
    ],
)
def test_other_layouts(
    service: httpx.Client,
    mlflow: MlflowServer,
    hook: Json,
    policy: Callable[..., Json],
    layout: str,
    field: str,
    origin: str,
) -> None:
    policy(f"bad-{layout}", BEYOND)
    version = mlflow.register(f"bad-{layout}", layout)
    tags = until(lambda: _judged(mlflow, f"bad-{layout}", version))
    assert tags["salience.verdict"] == "failed"
    assert mlflow.aliased(f"bad-{layout}", "audited") is None
    audit = service.get(f"/v1/audits/{tags['salience.audit_id']}").json()
    model = service.get(f"/v1/models/{audit['model_ids'][0]}").json()
    assert model["description"][field]["from"] == origin


def test_undescribed_version_waits_for_its_description(
    service: httpx.Client, mlflow: MlflowServer, connection: Json
) -> None:
    version = mlflow.register("plain", "undescribed")
    made = create(
        service, "models", name="plain", source={"connection_id": connection["id"], "uri": f"models:/plain/{version}"}
    )
    model = wait_for(service, f"/v1/models/{made['id']}", "needs_description", "rejected")
    assert (model["status"], model["missing"]) == ("needs_description", ["architecture", "preprocessing"])


def test_a_sweep_asks_in_words_that_the_server_knows(mlflow: MlflowServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Patterns of names and tags, page by page, aliases, and the order in which versions were made."""
    monkeypatch.setattr("app.registries.mlflow.PAGE", 2)
    made: list[Json] = []
    for name in ("swept_a", "swept_b", "it's", "sweptXa"):
        assert mlflow.http.post("/registered-models/create", json={"name": name}).is_success
    for name in ("swept_a", "swept_a", "swept_b", "it's", "swept_a", "sweptXa"):
        body = {"name": name, "source": "s3://bucket/x", "tags": [{"key": "stage", "value": "ready"}]}
        answer = mlflow.http.post("/model-versions/create", json=body if len(made) != 1 else body | {"tags": []})
        assert answer.is_success, answer.text
        made.append(answer.json()["model_version"])
    alias = {"name": "swept_a", "alias": "champion", "version": "2"}
    assert mlflow.http.post("/registered-models/alias", json=alias).is_success
    before = datetime.fromtimestamp(int(made[0]["creation_timestamp"]) / 1000 - 1, UTC)
    with EgressClient(AddressGuard.of(["127.0.0.1/32"])) as client:
        registry = MlflowRegistry(client, mlflow.url, {})
        found = registry_names(registry, "swept_a", before)
        assert [one for one in found if one[0] == "swept_a"] == [("swept_a", version) for version in "321"]
        assert {name for name, _ in registry_names(registry, "it's", before)} == {"it's"}
        assert not list(registry.made(Wanted("swept_[ab]", before + timedelta(days=1))))
        assert len(list(registry.made(Wanted("swept_[ab]", before)))) >= 4
        tagged = [(one.name, one.version) for one in registry.tagged(Wanted("swept_a", before, {"stage": "re?dy"}))]
        # LIKE's underscore is any letter: a sweep looks at the names itself.
        assert sorted(tagged) == [("sweptXa", "1"), ("swept_a", "1"), ("swept_a", "3")]
        held = [(name, one.name, one.version) for name, one in registry.aliases(Wanted("swept*", before))]
        assert held == [("champion", "swept_a", "2")]
        assert registry.version("swept_a", "1").created_ms == int(made[0]["creation_timestamp"])


def registry_names(registry: MlflowRegistry, model: str, after: datetime) -> list[tuple[str, str]]:
    return [(one.name, one.version) for one in registry.made(Wanted(model, after))]


def _judged(mlflow: MlflowServer, name: str, version: str) -> dict[str, str] | None:
    tags = mlflow.tags(name, version)
    return tags if "salience.verdict" in tags else None


def _run_with_report(mlflow: MlflowServer, name: str, version: str) -> Json | None:
    """Metrics of the run that a version came from, and what was logged of ours, once the report is."""
    run = mlflow.run_of(name, version)
    return run if run["files"] else None


def _ended(service: httpx.Client, hook: Json) -> list[Json]:
    """The log, when versions in it have ended; empty before."""
    log: list[Json] = service.get(f"/v1/hooks/{hook['id']}/deliveries").json()["items"]
    created = [one["outcome"] for one in log if one["event"] == "model_version.created"]
    return [] if "pending" in created else log
