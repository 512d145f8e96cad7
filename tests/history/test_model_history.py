"""Three versions of one model by the running service: the history, what got worse, and that it is told."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from tests.api.running_api import check_problem
from tests.comparisons.real_audits import ENTROPY_ONLY
from tests.waiting import RECIPE, WEIGHTS, until, upload
from tests.webhooks.receiver import Receiver, receiving

Json = dict[str, Any]
RUNS = ("cross_entropy_run1", "human_guided_run1", "cross_entropy_run1")
SAMPLES = 40
PATH = "/v1/model-history"


@pytest.fixture(scope="module")
def receiver(service: httpx.Client) -> Iterator[Receiver]:
    with receiving() as receiver:
        asked = {"url": receiver.url, "events": ["regression.found"]}
        webhook = service.post("/v1/webhooks", json=asked).json()
        yield receiver
        service.delete(f"/v1/webhooks/{webhook['id']}")


@pytest.fixture(scope="module")
def audits(service: httpx.Client, dataset: Json, receiver: Receiver, start: Callable[..., Json]) -> list[Json]:
    made = []
    for run in RUNS:
        model = upload(service, "models", RECIPE | {"name": "historic"}, (WEIGHTS / f"{run}.safetensors").read_bytes())
        made.append(start(model_ids=[model["id"]], protocol=ENTROPY_ONLY, sample_limit=SAMPLES, name=run))
    return made


@pytest.fixture(scope="module")
def history(service: httpx.Client, audits: list[Json]) -> Json:
    def whole() -> Json:
        found: Json = service.get(PATH, params={"name": "historic"}).json()
        return {} if found["pending"] else found

    return until(whole)


def test_every_version_has_its_numbers(service: httpx.Client, history: Json, audits: list[Json]) -> None:
    assert [version["version"] for version in history["versions"]] == ["1", "2", "3"]
    for version, audit in zip(history["versions"], audits, strict=True):
        (shown,) = version["audits"]
        assert (shown["audit_id"], version["model_id"]) == (audit["id"], audit["model_ids"][0])
        rows = service.get(f"/v1/audits/{audit['id']}/results").json()["summaries"]
        (mean,) = [row["mean"] for row in rows if row["view"] == "spatial" and row["group"] == "macro"]
        assert shown["headline"] == {"entropy": mean}
    first, _, third = (version["audits"][0]["headline"] for version in history["versions"])
    assert first == third


def test_what_got_worse_is_what_a_comparison_says(
    history: Json, audits: list[Json], compare: Callable[..., Json], receiver: Receiver
) -> None:
    """One of the two steps makes entropy worse, since the third version is the first one again."""
    expected = []
    for before, after in ((0, 1), (1, 2)):
        rows = compare(audits[before], audits[after])["results"]["differences"]
        (row,) = [row for row in rows if row["view"] == "spatial" and row["group"] == "macro"]
        if row["favours"] == 0 and not row["says_nothing"]:
            expected.append((str(after + 1), row["difference"], row["p_holm"]))
    assert len(expected) == 1
    found = history["regressions"]
    assert [(one["version"], one["difference"], one["p_holm"]) for one in found] == expected
    assert found[0]["after"] > found[0]["before"]
    until(lambda: receiver.received)
    (told,) = [one.document()["data"] for one in receiver.received if "historic" in one.body.decode()]
    assert told["comparison_id"] == found[0]["comparison_id"]
    assert told["model"]["version"] == found[0]["version"]
    assert told["regressions"][0]["after"] == found[0]["after"]


def test_only_what_was_audited_alike_is_compared(
    service: httpx.Client, audits: list[Json], start: Callable[..., Json]
) -> None:
    """Other samples, and several models at once, leave the history's comparisons as they are."""
    listed: dict[str, str | int] = {"tag": "model-history", "limit": 1000}
    before = service.get("/v1/comparisons", params=listed).json()["items"]
    assert {tuple(one["audit_ids"]) for one in before} >= {
        (audits[0]["id"], audits[1]["id"]),
        (audits[1]["id"], audits[2]["id"]),
    }
    last = audits[2]["model_ids"]
    start(model_ids=last, protocol=ENTROPY_ONLY, sample_limit=SAMPLES + 1)
    start(model_ids=[*last, *audits[0]["model_ids"]], protocol=ENTROPY_ONLY, sample_limit=SAMPLES)
    assert len(service.get("/v1/comparisons", params=listed).json()["items"]) == len(before)
    shown = service.get(PATH, params={"name": "historic", "limit": 1}).json()["versions"]
    assert [version["version"] for version in shown] == ["3"]
    assert [set(one["headline"]) for one in shown[0]["audits"]] == [{"entropy"}] * 3


def test_a_name_that_nobody_has(service: httpx.Client) -> None:
    check_problem(service.get(PATH, params={"name": "nobody"}), 404, "not-found")
    check_problem(service.get(PATH), 422, "validation-error")
