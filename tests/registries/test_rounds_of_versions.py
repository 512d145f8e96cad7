"""Several versions of one model, by a registry's recorded answers: their run group, their order and their history."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.registries.recorded_mlflow import RecordedMlflow
from tests.registries.signing import created, send
from tests.waiting import until

Json = dict[str, Any]
SAMPLES = 40
VERSIONS = (("human_guided_run1", "plain"), ("cross_entropy_run1", "plain"), ("human_guided_run1", "another"))
"""The run whose weights each is, and its recipe."""


def test_versions_of_one_recipe(
    service: httpx.Client, mlflow: RecordedMlflow, hook: Json, make_policy: Callable[..., Json]
) -> None:
    """The first has no stability, the second has that of both, and each its own numbers. The third, of another recipe,
    is alone again."""
    protocol: Json = {"micro_batch": 4, "measures": {"entropy": {}, "stability": {}}}
    how: Json = {"run_group_tag": "recipe", "protocol": protocol, "sample_limit": SAMPLES}
    make_policy("seeds", "entropy.spatial.mean <= 1", **how)
    for version, (run, recipe) in enumerate(VERSIONS, start=1):
        mlflow.register("seeds", str(version), run, recipe=recipe)
        send(service, hook["id"], created("seeds", str(version)))
        until(lambda: "salience.verdict" in mlflow.tags("seeds", str(version)))  # noqa: B023
    first, second, third = (mlflow.tags("seeds", version) for version in "123")
    audit = service.get(f"/v1/audits/{second['salience.audit_id']}").json()
    group = service.get(f"/v1/run-groups/{audit['run_group_id']}").json()
    assert (group["name"], group["model_ids"], len(audit["model_ids"])) == ("plain", audit["model_ids"], 2)
    rows = service.get(f"/v1/audits/{audit['id']}/results").json()["summaries"]
    macro = [row for row in rows if (row["group_by"], row["group"]) == ("total", "macro")]
    (entropy,) = [row for row in macro if (row["view"], row["model_id"]) == ("spatial", group["model_ids"][1])]
    (stability,) = [row for row in macro if row["measure"] == "stability"]
    assert float(second["salience.entropy"].split()[0]) == pytest.approx(entropy["mean"], rel=1e-5)
    assert float(second["salience.stability"].split()[0]) == pytest.approx(stability["mean"], rel=1e-5)
    for alone in (first, third):
        assert "salience.stability" not in alone
        assert service.get(f"/v1/audits/{alone['salience.audit_id']}").json()["run_group_id"] is None
    check_history(service, audit["id"], third["salience.audit_id"])


def check_history(service: httpx.Client, of_both: str, of_third: str) -> None:
    """Of a run group each version is its own model: the second against the first in the audit that has both, the third
    against the second of that audit. The third is the first again, so that only one step makes entropy worse."""

    def whole() -> Json:
        found: Json = service.get("/v1/model-history", params={"name": "seeds"}).json()
        return {} if found["pending"] or len(comparisons()) < 2 else found

    def comparisons() -> list[Json]:
        listed: list[Json] = service.get("/v1/comparisons", params={"tag": "model-history", "limit": 1000}).json()[
            "items"
        ]
        return [one for one in listed if one["audit_ids"][1] in {of_both, of_third}]

    history = until(whole)
    ids = [version["model_id"] for version in history["versions"]]
    later, earlier = comparisons()
    assert (earlier["audit_ids"], earlier["model_ids"]) == ([of_both, of_both], ids[:2])
    assert (later["audit_ids"], later["model_ids"]) == ([of_both, of_third], ids[1:])
    means = [version["audits"][0]["headline"]["entropy"] for version in history["versions"]]
    found = [(one["before_version"], one["version"], one["number"]) for one in history["regressions"]]
    assert found == [("1", "2", "entropy")]
    (regression,) = history["regressions"]
    assert (regression["before"], regression["after"]) == pytest.approx(means[:2])
    assert (regression["audit_id"], regression["before_audit_id"]) == (of_both, of_both)
    assert regression["p_holm"] < 0.05
    tables = service.get(f"/v1/comparisons/{later['id']}").json()["results"]
    assert {row["measure"] for row in tables["differences"]} == {"entropy"}
    assert [len(side["models"]) for side in tables["sides"]] == [1, 1]
    page = service.get(f"/v1/comparisons/{earlier['id']}/report")
    assert page.status_code == 200, page.text


def test_events_that_come_backwards(
    service: httpx.Client, mlflow: RecordedMlflow, hook: Json, make_policy: Callable[..., Json]
) -> None:
    """After an outage: the newer version is told of first, and yet compared with the older one, and gets the alias."""
    policy = make_policy("series", "entropy.spatial.mean not worse than baseline", baseline="previous")
    mlflow.down = True
    for version in ("8", "7"):
        mlflow.register("series", version)
        mlflow.versions["series", version]["created_ms"] = int(version)
        assert send(service, hook["id"], created("series", version)).status_code == 202
        until(lambda: any("series" in path for path, _ in mlflow.asked[-5:]))
    mlflow.down = False
    for version, verdict in (("7", "not judged"), ("8", "passed")):
        assert until(lambda: mlflow.tags("series", version).get("salience.verdict")) == verdict  # noqa: B023
    assert until(lambda: mlflow.aliases.get(("series", "audited"))) == "8"
    runs = service.get(f"/v1/policies/{policy['id']}/runs").json()["items"]
    audits = {run["version"]: service.get(f"/v1/audits/{run['audit_id']}").json() for run in runs}
    assert audits["8"]["gate"]["baseline_audit_id"] == audits["7"]["id"]
    history = service.get("/v1/model-history", params={"name": "series"}).json()
    assert [version["version"] for version in history["versions"]] == ["7", "8"]
    assert [version["registered_at"] for version in history["versions"]] == [
        "1970-01-01T00:00:00.007000Z",
        "1970-01-01T00:00:00.008000Z",
    ]
