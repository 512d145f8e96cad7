"""``POST /v1/audits:estimate`` and the choice of a device class, over HTTP, with rows as a worker would have left."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest
from redis import Redis
from sqlalchemy import delete, func, select, update

from app.db.session import transaction
from app.db.tables import AuditRow, Base, DatasetRow, ModelRow, ShardRow, WorkerRow
from app.domain.vocabulary import DeviceClass, ResourceStatus
from app.queue import PRIORITIES, TaskName, shard_queue
from tests.api.running_api import Api, check_problem
from tests.factories import sample_row

SAMPLES = 200
FACTS = {
    "classes": 2,
    "parameter_count": 1,
    "target_layer": "last",
    "map_channels": 8,
    "map_height": 7,
    "map_width": 7,
    "candidate_layers": [{"name": "last", "channels": 8, "height": 7, "width": 7}],
    "in_place_operations": [],
    "final_softmax": False,
}


def speed(seconds: float, device_class: str = "cpu") -> dict[str, Any]:
    return {"device_class": device_class, "seconds_per_image": seconds, "micro_batch": 8}


def ready_model(api: Api, measured: dict[str, Any] | None) -> dict[str, Any]:
    model = api.register()
    api.set_row(ModelRow, model, status=ResourceStatus.READY, probe=FACTS | {"speed": measured})
    return model


@pytest.fixture(scope="module")
def body(api: Api) -> dict[str, Any]:
    dataset = api.register("datasets")
    ready = {"status": ResourceStatus.READY, "sample_count": SAMPLES, "labels": ["face", "non_face"]}
    api.set_row(DatasetRow, dataset, **ready)
    models = [ready_model(api, speed(seconds)) for seconds in (0.01, 0.02)]
    return {"dataset_id": dataset["id"], "model_ids": [model["id"] for model in models]}


@pytest.fixture
def gpu_worker(api: Api) -> Iterator[str]:
    """What a worker on a GPU host says of itself."""
    name = f"host/{uuid4()}"
    with transaction(api.engine) as session:
        session.add(WorkerRow(name=name, device_class=DeviceClass.GPU))
    yield name
    with transaction(api.engine) as session:
        session.execute(delete(WorkerRow))


def counts(api: Api) -> dict[str, int]:
    with transaction(api.engine) as session:
        tables = Base.metadata.tables.values()
        return {table.name: session.scalar(select(func.count()).select_from(table)) or 0 for table in tables}


def wake_ups(broker_url: str, device_class: DeviceClass) -> int:
    with Redis.from_url(broker_url) as redis:
        return int(redis.llen(f"{shard_queue(device_class)}:{PRIORITIES[TaskName.RUN_SHARD]}"))


def test_the_model_shows_its_speed(api: Api, body: dict[str, Any]) -> None:
    assert api.client.get(f"/v1/models/{body['model_ids'][1]}").json()["speed"] == speed(0.02) | {
        "seconds_per_head": None,
        "seconds_of_bias_maps": None,
    }


def test_an_estimate_by_hand(api: Api, body: dict[str, Any]) -> None:
    """22 passes a model: the clean image, 7 noises, 12 geometric views, 2 degradations. A sample costs
    22 x 0.03 s = 0.66 s, so that half a minute is 45 samples, and two whole micro-batches of 16 are 32: six shards of
    32 and one of 8."""
    found = api.client.post("/v1/audits:estimate", json=body).json()
    numbers = {name: found[name] for name in ("samples", "models", "passes_per_image", "passes")}
    assert numbers == {"samples": 200, "models": 2, "passes_per_image": 44, "passes": 8800}
    assert (found["shard_samples"], found["shards"], found["device_class"]) == (32, 7, "cpu")
    assert found["seconds"] == pytest.approx(0.66 * (6 * 32 + 16))
    assert found["seconds_unknown_because"] is None
    maps = SAMPLES * 2 * 22 * 49 * 4
    assert maps < found["bytes"] < 1.5 * maps


def test_it_writes_nothing_and_tells_what_starting_does(api: Api, body: dict[str, Any], broker_url: str) -> None:
    before, sent = counts(api), wake_ups(broker_url, DeviceClass.CPU)
    wanted = body | {"sample_limit": 100, "protocol": {"micro_batch": 8, "measures": {"noise_reaction": {}}}}
    estimate = api.client.post("/v1/audits:estimate", json=wanted).json()
    assert counts(api) == before
    assert wake_ups(broker_url, DeviceClass.CPU) == sent
    audit = api.client.post("/v1/audits", json=wanted).json()
    with transaction(api.engine) as session:
        shards = session.scalars(select(ShardRow).where(ShardRow.audit_id == UUID(audit["id"]))).all()
    assert len(shards) == estimate["shards"] == counts(api)["shards"] - before["shards"]
    assert {shard.stop - shard.start for shard in shards if shard.stop < 100} == {estimate["shard_samples"]}
    same = ("device_class", "protocol", "protocol_digest")
    assert {name: audit[name] for name in same} == {name: estimate[name] for name in same}
    assert audit["sample_count"] == estimate["samples"] == 100
    assert wake_ups(broker_url, DeviceClass.CPU) == sent + estimate["shards"]


def test_a_fraction_of_the_measures_costs_a_fraction(api: Api, body: dict[str, Any]) -> None:
    wanted = body | {"protocol": {"measures": {"entropy": {}}}}
    found = api.client.post("/v1/audits:estimate", json=wanted).json()
    assert (found["passes_per_image"], found["passes"]) == (2, 400)
    assert "stability" not in found["protocol"]["measures"]


def test_a_method_that_tries_every_channel_costs_as_many_passes(api: Api, body: dict[str, Any]) -> None:
    """The target layer has 8 channels; images go one by one, so that no batch is filled up."""
    protocol = {"salience": {"method": "scorecam"}, "measures": {"entropy": {}}}
    found = api.client.post("/v1/audits:estimate", json=body | {"protocol": protocol}).json()
    assert (found["passes_per_image"], found["passes"]) == (2 * 9, 3600)
    assert found["seconds"] == pytest.approx(9 * 0.03 * SAMPLES)


def test_fullgrad_has_large_maps_and_no_speed_of_an_earlier_version(api: Api, body: dict[str, Any]) -> None:
    protocol = {"salience": {"method": "fullgrad"}, "measures": {"entropy": {}}}
    found = api.client.post("/v1/audits:estimate", json=body | {"protocol": protocol}).json()
    assert found["seconds"] is None
    assert "fullgrad" in found["seconds_unknown_because"]
    maps = SAMPLES * 2 * 224 * 224 * 4
    assert maps < found["bytes"] < 1.1 * maps


def test_each_label_that_is_explained_is_counted(api: Api) -> None:
    """In batches of 4: both labels, one of them, and none, which is one look at the images all the same."""
    dataset = api.register("datasets")
    labels = ["face|smile", "smile", "|"]
    ready = {"status": ResourceStatus.READY, "sample_count": 12, "labels": labels}
    api.set_row(DatasetRow, dataset, **ready)
    with transaction(api.engine) as session:
        for place in range(12):
            values = {"name": f"{place}.png", "position": place, "label": labels[place // 4]}
            session.add(sample_row(UUID(dataset["id"]), **values))
    model = api.register(class_names=["face", "smile"], output={"kind": "multilabel"})
    api.set_row(ModelRow, model, status=ResourceStatus.READY, probe=FACTS | {"speed": speed(0.01)})
    salience = {"target": "label", "method": "gradcam"}
    protocol = {"measures": {"entropy": {}}, "micro_batch": 4, "salience": salience}
    wanted = {"dataset_id": dataset["id"], "model_ids": [model["id"]], "protocol": protocol}
    found = api.client.post("/v1/audits:estimate", json=wanted).json()
    assert (found["passes"], found["passes_per_image"]) == (4 * (2 + 1 + 1), 2), found
    assert found["seconds"] == pytest.approx(0.01 * 16)
    protocol["salience"] = salience | {"target": "predicted"}
    found = api.client.post("/v1/audits:estimate", json=wanted).json()
    assert (found["passes"], found["passes_per_image"]) == (12, 1)


@pytest.mark.parametrize("measured", [None, speed(0.001, "gpu")])
def test_a_speed_that_nobody_knows(api: Api, body: dict[str, Any], measured: dict[str, Any] | None) -> None:
    model = ready_model(api, measured)
    wanted = body | {"model_ids": [body["model_ids"][0], model["id"]]}
    found = api.client.post("/v1/audits:estimate", json=wanted).json()
    assert found["seconds"] is None
    assert model["id"] in found["seconds_unknown_because"]
    assert body["model_ids"][0] not in found["seconds_unknown_because"]
    assert (found["passes"], found["shard_samples"]) == (8800, 48)


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"model_ids": [str(uuid4())]}, 422, "unknown-models"),
        ({"dataset_id": str(uuid4())}, 422, "unknown-dataset"),
        ({"model_ids": None, "run_group_id": str(uuid4())}, 404, "not-found"),
        ({"run_group_id": str(uuid4())}, 422, "validation-error"),
        ({"protocol": {"salience": {"target": 2}}}, 422, "target-out-of-range"),
        ({"protocol": {"salience": {"target_layer": "nowhere"}}}, 422, "target-layer-not-found"),
        ({"protocol": {"measures": {}}}, 422, "validation-error"),
        ({"device_class": "tpu"}, 422, "validation-error"),
    ],
)
def test_the_checks_are_those_of_starting(
    api: Api, body: dict[str, Any], change: dict[str, Any], status: int, code: str
) -> None:
    details = [
        check_problem(api.client.post(path, json=body | change), status, code)
        for path in ("/v1/audits:estimate", "/v1/audits")
    ]
    assert details[0] == details[1]


def test_resources_that_are_not_ready(api: Api, body: dict[str, Any]) -> None:
    waiting = body | {"model_ids": [api.register()["id"]]}
    check_problem(api.client.post("/v1/audits:estimate", json=waiting), 409, "model-not-ready")
    empty = body | {"dataset_id": api.register("datasets")["id"]}
    check_problem(api.client.post("/v1/audits:estimate", json=empty), 409, "dataset-not-ready")


def test_openapi_documents_the_estimate(api: Api) -> None:
    document = api.client.get("/openapi.json").json()
    operation = document["paths"]["/v1/audits:estimate"]["post"]
    assert operation["summary"]
    assert operation["description"]
    assert {"200", "404", "409", "422"} <= operation["responses"].keys()
    fields = document["components"]["schemas"]["AuditEstimate"]["properties"]
    assert {"passes", "seconds", "seconds_unknown_because", "bytes", "shards", "device_class"} <= fields.keys()


class TestDeviceClass:
    def run_on(self, api: Api, body: dict[str, Any], **wanted: str) -> str:
        audit = api.client.post("/v1/audits", json=body | wanted).json()
        with transaction(api.engine) as session:
            assert session.get_one(AuditRow, UUID(audit["id"])).device_class == audit["device_class"]
        shown: str = api.client.get(f"/v1/audits/{audit['id']}").json()["device_class"]
        return shown

    def test_cpu_where_no_gpu_is_known(self, api: Api, body: dict[str, Any]) -> None:
        assert self.run_on(api, body) == "cpu"

    @pytest.mark.usefixtures("gpu_worker")
    def test_gpu_where_one_is_known(self, api: Api, body: dict[str, Any], broker_url: str) -> None:
        before = [wake_ups(broker_url, kind) for kind in DeviceClass]
        assert self.run_on(api, body) == "gpu"
        after = [wake_ups(broker_url, kind) for kind in DeviceClass]
        # Nobody measured these models on a GPU: 200 samples in shards of 48.
        assert (after[0] - before[0], after[1] - before[1]) == (0, 5)

    def test_a_gpu_that_was_not_seen_for_long_is_not_known(
        self, api: Api, body: dict[str, Any], gpu_worker: str
    ) -> None:
        with transaction(api.engine) as session:
            row = session.get_one(WorkerRow, gpu_worker)
            session.execute(update(WorkerRow).values(seen_at=row.seen_at - func.make_interval(0, 0, 0, 0, 0, 11)))
        assert self.run_on(api, body) == "cpu"

    @pytest.mark.usefixtures("gpu_worker")
    def test_the_request_may_choose(self, api: Api, body: dict[str, Any]) -> None:
        assert self.run_on(api, body, device_class="cpu") == "cpu"
        estimate = api.client.post("/v1/audits:estimate", json=body | {"device_class": "gpu"}).json()
        assert (estimate["device_class"], estimate["seconds"]) == ("gpu", None)

    def test_the_protocol_is_the_same_on_both(self, api: Api, body: dict[str, Any]) -> None:
        digests = {
            api.client.post("/v1/audits:estimate", json=body | {"device_class": kind}).json()["protocol_digest"]
            for kind in ("cpu", "gpu")
        }
        assert len(digests) == 1
