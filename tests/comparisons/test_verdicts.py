"""Verdicts over HTTP: real audits judged, frozen conditions, baselines."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.api.running_api import check_problem
from tests.comparisons.real_audits import ENTROPY_ONLY, FAIL, PASS, macro_total

Json = dict[str, Any]


class TestVerdicts:
    def test_every_outcome_at_once(self, service: httpx.Client, judge: Callable[..., Json], first: Json) -> None:
        mine = macro_total(service, first, "entropy", "spatial")
        straddled = f"entropy.spatial.mean <= {mine['mean']:.4f} (ci)"
        worst = "geometric_resilience.flip_vertical[worst source].mean >= -1"
        document = judge(
            PASS,
            f"{FAIL} (warn)",
            straddled,
            worst,
            "entropy.spatial.ci95_high <= 1 (ci)"[:-5],
            "stability.mean >= 0.5 (missing ok)",
            "performance.clean.accuracy >= 0",
            "entropy.n >= 14",
        )
        outcomes = [row["outcome"] for row in document["conditions"]]
        assert outcomes == ["passed", "failed", "inconclusive", *["passed"] * 5]
        assert (document["verdict"], document["warnings"]) == ("inconclusive", 1)
        passed, warned, open_, worst_row, bound, missing, accuracy, count = document["conditions"]
        assert passed["value"] == warned["value"] == mine["mean"]
        assert (warned["severity"], warned["threshold"]) == ("warn", 0.01)
        assert (open_["ci95_low"], open_["ci95_high"]) == (mine["ci95_low"], mine["ci95_high"])
        assert "straddles" in open_["explanation"]
        sources = [
            macro_total(service, first, "geometric_resilience", "flip_vertical", group_by="source", group=source)
            for source in ("bright", "dark")
        ]
        low = min(sources, key=lambda row: row["mean"])
        assert (worst_row["value"], worst_row["subject"]) == (low["mean"], f"source {low['group']}")
        assert bound["value"] == mine["ci95_high"]
        assert (missing["value"], "does not compute stability" in missing["explanation"]) == (None, True)
        clean = service.get(f"/v1/audits/{first['id']}/results").json()["performance"][0]
        assert accuracy["value"] == clean["accuracy"]
        assert count["value"] == 14
        assert passed["says_nothing"] == warned["says_nothing"] == ["few-samples"]
        assert (accuracy["says_nothing"], "entropy" in document["says_nothing"]) == ([], True)

    def test_a_failed_verdict_is_a_succeeded_audit(self, judge: Callable[..., Json]) -> None:
        document = judge(PASS, FAIL, "stability.mean >= 0.8")
        assert document["verdict"] == "failed"
        assert [row["outcome"] for row in document["conditions"]] == ["passed", "failed", "failed"]
        assert "which fails the condition" in document["conditions"][2]["explanation"]

    def test_several_models_count_as_their_mean(self, service: httpx.Client, judge: Callable[..., Json]) -> None:
        runs = ("cross_entropy_run1", "human_guided_run1")
        document = judge("entropy.mean <= 1", "entropy[worst model].mean <= 1", "performance.accuracy >= 0", runs=runs)
        mean, worst, accuracy = document["conditions"]
        audit = {"id": document["audit_id"]}
        results = service.get(f"/v1/audits/{audit['id']}/results").json()
        models = [macro_total(service, audit, "entropy", "spatial", model_id=m["model_id"]) for m in results["models"]]
        assert mean["value"] == pytest.approx(sum(row["mean"] for row in models) / 2, abs=1e-12)
        assert mean["ci95_low"] < mean["value"] < mean["ci95_high"]
        highest = max(range(2), key=lambda index: models[index]["mean"])
        assert (worst["value"], worst["subject"]) == (models[highest]["mean"], f"model {runs[highest]}")
        clean = [row["accuracy"] for row in results["performance"] if row["condition"] == "clean"]
        assert accuracy["value"] == pytest.approx(sum(clean) / 2)

    def test_later_changes_do_not_move_it(
        self, service: httpx.Client, start: Callable[..., Json], make_gate: Callable[..., Json]
    ) -> None:
        gate = make_gate(PASS)
        audit = start("cross_entropy_run1", gate_id=gate["id"], protocol=ENTROPY_ONLY)
        path = f"/v1/audits/{audit['id']}/verdict"
        before = service.get(path).json()
        assert before["gate"] == {
            "gate_id": gate["id"],
            "name": "release",
            "conditions": [PASS],
            "digest": gate["digest"],
            "baseline_audit_id": None,
        }
        service.delete(f"/v1/gates/{gate['id']}")
        assert service.get(path).json() == before

    def test_without_a_gate_and_before_the_end(
        self, service: httpx.Client, make_gate: Callable[..., Json], dataset: Json, models: dict[str, Json], first: Json
    ) -> None:
        assert (first["gate"], first["verdict"], first["conditions"]) == (None, None, None)
        check_problem(service.get(f"/v1/audits/{first['id']}/verdict"), 404, "not-found")
        body = {"dataset_id": dataset["id"], "model_ids": [models["cross_entropy_run1"]["id"]]}
        waiting = service.post("/v1/audits", json=body | {"gate_id": make_gate(PASS)["id"]}).json()
        assert (waiting["verdict"], waiting["gate"]["conditions"]) == (None, [PASS])
        check_problem(service.get(f"/v1/audits/{waiting['id']}/verdict"), 409, "audit-not-finished")
        service.post(f"/v1/audits/{waiting['id']}/cancel")
        check_problem(service.get(f"/v1/audits/{waiting['id']}/verdict"), 409, "audit-cancelled")


class TestBaselines:
    NOT_WORSE = "noise_reaction.mean not worse than baseline by more than 0.02"

    def test_the_same_samples_are_paired(
        self, service: httpx.Client, judge: Callable[..., Json], comparison: Json, first: Json
    ) -> None:
        """The very numbers of a comparison with the baseline."""
        rows = comparison["results"]["differences"]
        wanted = {"measure": "noise_reaction", "group_by": "total", "group": "macro"}
        row = next(row for row in rows if wanted.items() <= row.items())
        edge = max(0.0, -row["difference"])
        middle = f"noise_reaction.mean not worse than baseline by more than {edge:.9f} (ci)"
        document = judge(
            f"{self.NOT_WORSE} (warn)",
            middle,
            "noise_reaction.mean not worse than baseline by more than 2 (ci)",
            "noise_reaction[worst model].mean not worse than baseline by more than 2",
            "entropy.p95 not worse than baseline by more than 1",
            runs=("human_guided_run1",),
            baseline_audit_id=first["id"],
        )
        point, straddling, wide, by_model, quantile = document["conditions"]
        assert (point["baseline_value"], point["value"]) == (row["mean_first"], row["mean_second"])
        assert (point["difference"], point["threshold"]) == (row["difference"], -0.02)
        assert (point["ci95_low"], point["ci95_high"]) == (row["ci95_low"], row["ci95_high"])
        assert point["outcome"] == ("passed" if row["difference"] >= -0.02 else "failed")
        if row["ci95_low"] < -edge < row["ci95_high"]:
            assert straddling["outcome"] == "inconclusive"
        assert wide["outcome"] == by_model["outcome"] == quantile["outcome"] == "passed"
        assert "paired on the same samples" in point["explanation"]
        assert by_model["subject"] == "model human_guided_run1"
        before = macro_total(service, first, "entropy", "spatial")["p95"]
        assert quantile["difference"] == quantile["value"] - before

    def test_a_model_is_not_worse_than_itself(self, judge: Callable[..., Json], first: Json) -> None:
        document = judge("entropy.mean not worse than baseline (ci)", baseline_audit_id=first["id"])
        [row] = document["conditions"]
        assert (row["outcome"], row["difference"], row["ci95_low"], row["ci95_high"]) == ("passed", 0.0, 0.0, 0.0)

    def test_other_samples_are_not_paired(self, judge: Callable[..., Json], first: Json) -> None:
        limit = "entropy.mean not worse than baseline by more than 0.5 (ci)"
        document = judge(limit, sample_limit=10, baseline_audit_id=first["id"])
        [row] = document["conditions"]
        assert "not paired" in row["explanation"]
        assert row["difference"] == row["value"] - row["baseline_value"]
        assert row["ci95_low"] < row["difference"] < row["ci95_high"]

    def test_a_measure_that_the_baseline_lacks(self, judge: Callable[..., Json], first_entropy: Json) -> None:
        document = judge(self.NOT_WORSE, baseline_audit_id=first_entropy["id"])
        [row] = document["conditions"]
        assert (document["verdict"], row["baseline_value"], row["difference"]) == ("failed", None, None)
        assert "the baseline audit has no such number" in row["explanation"]

    def test_refused(
        self,
        service: httpx.Client,
        make_gate: Callable[..., Json],
        dataset: Json,
        models: dict[str, Json],
        first: Json,
    ) -> None:
        gate = make_gate(self.NOT_WORSE)["id"]
        body = {"dataset_id": dataset["id"], "model_ids": [models["cross_entropy_run1"]["id"]], "sample_limit": 2}

        def post(**more: Any) -> httpx.Response:
            return service.post("/v1/audits", json=body | more)

        check_problem(post(gate_id=gate), 422, "gate-needs-baseline")
        check_problem(post(gate_id=str(uuid4())), 422, "unknown-gate")
        check_problem(post(gate_id=gate, baseline_audit_id=str(uuid4())), 422, "unknown-baseline")
        check_problem(post(baseline_audit_id=first["id"]), 422, "validation-error")
        answer = post(gate_id=gate, baseline_audit_id=first["id"])
        detail = check_problem(answer, 422, "baseline-differs")
        assert "protocol.micro_batch" in detail
        assert "protocol.measures.noise_reaction.curve" in detail
        assert "protocol.measures.stability" not in detail
        # Over all images: two might be done before they can be cancelled.
        waiting = post(sample_limit=None).json()
        assert service.post(f"/v1/audits/{waiting['id']}/cancel").json()["status"] == "cancelled"
        check_problem(post(gate_id=gate, baseline_audit_id=waiting["id"]), 409, "baseline-not-finished")
