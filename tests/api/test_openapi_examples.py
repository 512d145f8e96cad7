"""Every example of the OpenAPI document, sent to the real service with real ids in the place of its made-up ones."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import numpy as np
import pytest
from jsonschema import Draft202012Validator
from prepare import build_archive

from app.http.openapi.example_form import JSON
from app.http.openapi.example_ids import (
    AUDITS,
    CONNECTION,
    DATASET,
    DELIVERY,
    GATE,
    HOOK,
    MAP_SET,
    MODELS,
    POLICY,
    RUN_GROUP,
)
from app.http.problems import MEDIA_TYPE
from app.rooms import EXAMPLES as ROUTES
from tests.map_sets.packing import png, zipped
from tests.registries.signing import created
from tests.registries.signing import send as deliver
from tests.waiting import upload, upload_run, views_of, wait_for

Json = dict[str, Any]

BODIES = [(route, title) for route, examples in ROUTES.items() for title in examples.requests]
READS = [route for route in ROUTES if route.startswith("GET")]
# Its keys are those of the measures that were asked for.
FREE_FORM = {"GET /v1/audits/{audit_id}/metrics"}
# What stands in these is chosen by whoever asks, or differs from item to item.
CHOSEN = (".tags", ".body", ".description", ".headline", ".measures", ".metadata", ".radar", ".schema")
AT_TIMES = (".items[0].measure", ".findings[0].measure", ".items[0].protocol.salience.methods")
"""A finding about several measures names none, and the newest audit may be another test's; schemas hold both."""
NOWHERE = "01a20000-0000-7000-8000-000000000000"


class World:
    """One of each resource, and the ids under which the examples know them."""

    def __init__(self, service: httpx.Client) -> None:
        self.http = service
        self.ids: dict[str, str] = {}
        self.paths: dict[str, str] = {}
        self.ids[DATASET] = upload(service, "datasets", {"name": "faces"}, build_archive())["id"]
        self.ids[MAP_SET] = self._map_set()
        for place, made_up in enumerate(MODELS, start=1):
            self.ids[made_up] = upload_run(service, f"cross_entropy_run{place}")["id"]
        self.ids[RUN_GROUP] = self._example("POST /v1/run-groups", "Three trainings")["id"]
        self.ids[GATE] = self._example("POST /v1/gates", "Limits of its own")["id"]
        for made_up in AUDITS:
            self.ids[made_up] = self._audit()
        comparison = self._example("POST /v1/comparisons", "Two training strategies")
        wait_for(service, f"/v1/comparisons/{comparison['id']}", "succeeded")
        self._follow()
        self._put_places(comparison["id"])
        self._example("POST /v1/audits/{audit_id}/rescore", "By correlation")
        wait_for(service, f"/v1/audits/{self.ids[AUDITS[0]]}/rescores/cc", "succeeded")
        views_of(service, self.ids[AUDITS[0]])

    def _follow(self) -> None:
        """A registry, and an event of it."""
        for made_up, noun in ((CONNECTION, "connections"), (HOOK, "hooks"), (POLICY, "policies")):
            made = self._example(f"POST /v1/{noun}", next(iter(ROUTES[f"POST /v1/{noun}"].requests)))
            self.ids[made_up] = made["id"]
            if made_up == HOOK:
                told = deliver(self.http, made["id"], created("digits"), secret=made["secret"])
                self.ids[DELIVERY] = told.json()["delivery_id"]

    def _put_places(self, comparison_id: str) -> None:
        """What stands in the paths of the routes."""
        sample = self.http.get(f"/v1/audits/{self.ids[AUDITS[0]]}/samples?limit=1").json()["items"][0]
        self.paths = {
            "connection_id": self.ids[CONNECTION],
            "hook_id": self.ids[HOOK],
            "policy_id": self.ids[POLICY],
            "dataset_id": self.ids[DATASET],
            "map_set_id": self.ids[MAP_SET],
            "model_id": self.ids[MODELS[0]],
            "run_group_id": self.ids[RUN_GROUP],
            "gate_id": self.ids[GATE],
            "audit_id": self.ids[AUDITS[0]],
            "similarity": "cc",
            "sample_id": sample["sample_id"],
            "sample": sample["sample"],
            "comparison_id": comparison_id,
            "webhook_id": (webhook := self._example("POST /v1/webhooks", "A CI system of yours")["id"]),
            "delivery_id": self.http.post(f"/v1/webhooks/{webhook}/test").json()["id"],
        }

    def send(self, route: str, title: str) -> httpx.Response:
        method, _, path = route.partition(" ")
        body = json.dumps(ROUTES[route].requests[title])
        for made_up, real in self.ids.items():
            body = body.replace(made_up, real)
        return self.http.request(method, self.filled(path), content=body, headers={"Content-Type": JSON})

    def filled(self, path: str, kind: str = JSON) -> str:
        """With the real ids; a figure's address ends as its kind does."""
        return path.format(**self.paths, name="radar", form="png" if kind == "image/png" else "svg")

    def _example(self, route: str, title: str) -> Json:
        answer = self.send(route, title)
        assert answer.is_success, answer.text
        made: Json = answer.json()
        return made

    def _map_set(self) -> str:
        """A mask, and one of nobody."""
        described = {"dataset_id": self.ids[DATASET], "name": "masks", "kind": "human"}
        mask = png(np.eye(9, dtype=np.uint8))
        files = dict.fromkeys(("face/bright/000.png", "face/bright/nobody.png"), mask)
        made: str = upload(self.http, "map-sets", described, zipped(files))["id"]
        return made

    def _audit(self) -> str:
        """Four samples, the clean maps alone: what an audit takes is not the matter here."""
        measures: Json = {"entropy": {}, "stability": {}}
        wanted = {"dataset_id": self.ids[DATASET], "run_group_id": self.ids[RUN_GROUP], "gate_id": self.ids[GATE]}
        answer = self.http.post("/v1/audits", json=wanted | {"sample_limit": 4, "protocol": {"measures": measures}})
        assert answer.status_code == 202, answer.text
        audit_id: str = answer.json()["id"]
        assert wait_for(self.http, f"/v1/audits/{audit_id}", "succeeded", "failed")["status"] == "succeeded"
        return audit_id


@pytest.fixture(scope="module")
def world(service: httpx.Client) -> World:
    return World(service)


@pytest.fixture(scope="module")
def document(service: httpx.Client) -> Json:
    found: Json = service.get("/openapi.json").json()
    return found


@pytest.mark.parametrize(("route", "title"), BODIES)
def test_an_example_body_works(world: World, document: Json, route: str, title: str) -> None:
    answer = world.send(route, title)
    assert [str(answer.status_code)] == _good(document, route), answer.text
    if route == "POST /v1/audits":
        assert world.http.post(f"{answer.headers['location']}/cancel").status_code == 202


@pytest.mark.parametrize("route", ["POST /v1/models", "POST /v1/datasets", "POST /v1/gates"])
def test_a_registration_works_as_it_stands(service: httpx.Client, document: Json, route: str) -> None:
    path = route.partition(" ")[2]
    examples = document["paths"][path]["post"]["requestBody"]["content"][JSON]["examples"]
    for example in examples.values():
        assert service.post(path, json=example["value"]).status_code == 201


@pytest.mark.parametrize("route", READS)
def test_an_example_answer_has_the_form_of_a_real_one(world: World, document: Json, route: str) -> None:
    """The schemas alone would let an example lack what need not be there, or have what is no more."""
    path = route.partition(" ")[2]
    answers = document["paths"][path]["get"]["responses"]["200"]["content"]
    for kind, shown in answers.items():
        answer = world.http.get(world.filled(path, kind), params=_query(world, path), headers={"Accept": kind})
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"].startswith(kind.partition(";")[0].rstrip("*"))
        if kind == JSON and route not in FREE_FORM:
            Draft202012Validator({**shown["schema"], "components": document["components"]}).validate(answer.json())
            assert list(_differences(shown["example"], answer.json())) == []


REFUSALS = [
    *[
        (f"GET /v1/{name}/{{{noun}_id}}", {}, 404, "not-found")
        for name, noun in [("models", "model"), ("gates", "gate")]
    ],
    ("POST /v1/models", {"json": {"name": "a", "format": "onnx", "preprocessing": None}}, 422, "validation-error"),
    ("POST /v1/models", {"content": b"{"}, 400, "malformed-json"),
    ("POST /v1/models", {"content": b"{}", "headers": {"Content-Type": "text/plain"}}, 415, "unsupported-media-type"),
    ("POST /v1/run-groups", {"json": {"name": "a", "model_ids": MODELS}}, 422, "unknown-models"),
    ("POST /v1/audits", {"json": {"dataset_id": NOWHERE, "run_group_id": NOWHERE}}, 404, "not-found"),
    ("POST /v1/audits", {"json": {"dataset_id": NOWHERE, "model_ids": [NOWHERE]}}, 422, "unknown-models"),
    ("POST /v1/comparisons", {"json": {"audit_ids": AUDITS}}, 422, "unknown-audits"),
    ("GET /v1/comparisons", {"params": {"cursor": "x"}}, 422, "invalid-cursor"),
    ("GET /v1/models", {"headers": {"Authorization": "Bearer no"}}, 401, "unauthenticated"),
]


@pytest.mark.parametrize(("route", "options", "status", "code"), REFUSALS)
def test_a_refusal_is_the_one_that_is_shown(
    service: httpx.Client, document: Json, route: str, options: Json, status: int, code: str
) -> None:
    method, _, path = route.partition(" ")
    headers = {"Content-Type": JSON} | options.get("headers", {})
    address = path.format(model_id=NOWHERE, gate_id=NOWHERE)
    answer = service.request(method, address, **options | {"headers": headers})
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    shown = document["paths"][path][method.lower()]["responses"][str(status)]["content"][MEDIA_TYPE]["examples"][code]
    assert answer.json().keys() == shown["value"].keys()


def _good(document: Json, route: str) -> list[str]:
    method, _, path = route.partition(" ")
    return [status for status in document["paths"][path][method.lower()]["responses"] if status.startswith("2")]


def _query(world: World, path: str) -> Json:
    wanted = {"map": {"model_id": world.ids[MODELS[0]]}, "model-history": {"name": "cross_entropy_run1"}}
    return wanted.get(path.rpartition("/")[2], {})


def _differences(shown: Any, real: Any, place: str = "") -> Iterator[str]:
    """Keys that only one of the two has; null stands for anything."""
    if isinstance(shown, dict) and isinstance(real, dict) and not place.endswith(CHOSEN):
        places = (f"{place}.{key}" for key in sorted(shown.keys() ^ real.keys()))
        yield from (found for found in places if not found.endswith(AT_TIMES))
        for key in shown.keys() & real.keys():
            yield from _differences(shown[key], real[key], f"{place}.{key}")
    elif isinstance(shown, list) and isinstance(real, list) and shown and real:
        yield from _differences(shown[0], real[0], f"{place}[0]")
