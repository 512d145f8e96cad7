"""Comparisons over HTTP: real audits of the example's networks, numbers recomputed from the CSV."""

import csv
import io
import json
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any
from uuid import UUID, uuid4

import httpx
import numpy as np
import pytest
from scipy import stats
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from app.db.session import transaction
from app.db.tables import AuditResultsRow, ComparisonRow
from app.domain.vocabulary import ComparisonUnit, OwedStatus
from tests.api.running_api import check_problem
from tests.comparisons.real_audits import COLUMNS, ENTROPY_ONLY, SAMPLES, rows_of
from tests.waiting import wait_for
from worker.results.comparison_document import comparison_document

Json = dict[str, Any]


def scores_of(service: httpx.Client, audit: Json) -> dict[tuple[str, str], dict[str, list[float]]]:
    """(measure, view) -> sample -> the scores of the audit's models."""
    answer = service.get(f"/v1/audits/{audit['id']}/samples", headers={"Accept": "text/csv"})
    found: dict[tuple[str, str], dict[str, list[float]]] = {}
    for row in csv.DictReader(io.StringIO(answer.text)):
        samples = found.setdefault((row["measure"], row["view"]), {})
        samples.setdefault(row["sample"], []).append(float(row["score"]))
    return found


class TestComparisons:
    def test_differences_agree_with_the_scores(
        self, service: httpx.Client, comparison: Json, first: Json, second: Json
    ) -> None:
        before, after = scores_of(service, first), scores_of(service, second)
        assert len(before) == COLUMNS
        for (measure, view), scores in before.items():
            values = np.array([after[measure, view][name][0] - score[0] for name, score in scores.items()])
            [micro] = rows_of(comparison, measure=measure, view=view, group_by="total", group="micro")
            assert (micro["n"], micro["n_undefined"]) == (SAMPLES, 0)
            assert micro["difference"] == pytest.approx(values.mean(), abs=1e-12)
            assert micro["mean_second"] - micro["mean_first"] == pytest.approx(values.mean(), abs=1e-12)
            interval = stats.bootstrap((values,), np.mean, method="percentile", n_resamples=9999, rng=1)
            width = interval.confidence_interval.high - interval.confidence_interval.low
            assert micro["ci95_low"] == pytest.approx(interval.confidence_interval.low, abs=0.15 * width)
            assert micro["ci95_high"] == pytest.approx(interval.confidence_interval.high, abs=0.15 * width)
            assert (micro["p_value"], micro["p_holm"]) == (None, None)

    def test_p_values_agree_with_scipy(
        self, service: httpx.Client, comparison: Json, first: Json, second: Json
    ) -> None:
        """The macro total weighs both sources the same: SciPy gets the differences under those weights."""
        before, after = scores_of(service, first), scores_of(service, second)
        tested = rows_of(comparison, group_by="total", group="macro")
        statistics = comparison["results"]["statistics"]
        assert len(tested) == statistics["family_size"] == COLUMNS
        assert (statistics["seed"], statistics["correction"], statistics["draws"]) == (0, "holm", 9999)
        for row in tested:
            key = row["measure"], row["view"]
            sources = np.array([name.split("/")[1] for name in before[key]])
            values = np.array([after[key][name][0] - score[0] for name, score in before[key].items()])
            weights = np.array([1 / np.sum(sources == source) for source in sources])
            assert row["difference"] == pytest.approx((values * weights).sum() / weights.sum(), abs=1e-12)
            exact = stats.permutation_test(  # type: ignore[call-overload] # the stubs leave out np.inf
                (values * weights,), np.mean, permutation_type="samples", n_resamples=np.inf
            ).pvalue
            error = 0 if row["p_method"] == "exact" else 5 * np.sqrt(exact * (1 - exact) / 9999)
            assert row["p_value"] == pytest.approx(exact, abs=error + 2e-4)

    def test_holm_over_the_family(self, comparison: Json) -> None:
        rows = sorted(rows_of(comparison, group_by="total", group="macro"), key=lambda row: row["p_value"])
        for rank, row in enumerate(rows):
            floor = rows[rank - 1]["p_holm"] if rank else 0.0
            assert row["p_holm"] == pytest.approx(min(1.0, max(floor, row["p_value"] * (len(rows) - rank))))
            assert (row["favours"] is not None) == (row["p_holm"] < 0.05)
        assert all(one["p_holm"] <= other["p_holm"] for one, other in pairwise(rows))

    def test_tables_by_label_and_source(
        self, service: httpx.Client, comparison: Json, first: Json, second: Json
    ) -> None:
        kinds = {(row["group_by"], row["group"]) for row in comparison["results"]["differences"]}
        assert kinds == {
            *(("total", kind) for kind in ("macro", "micro")),
            *(("label", label) for label in ("face", "non_face")),
            *(("source", source) for source in ("bright", "dark")),
        }
        before, after = (scores_of(service, audit)["entropy", "spatial"] for audit in (first, second))
        [row] = rows_of(comparison, measure="entropy", view="spatial", group_by="source", group="dark")
        dark = [name for name in before if "/dark/" in name]
        assert row["n"] == len(dark)
        assert row["difference"] == pytest.approx(np.mean([after[name][0] - before[name][0] for name in dark]))

    def test_sides_and_radar(self, service: httpx.Client, comparison: Json, first: Json, second: Json) -> None:
        results = comparison["results"]
        assert [side["audit_name"] for side in results["sides"]] == ["first", "second"]
        assert set(results["radar"]) == {"entropy", "noise_reaction", "geometric_resilience", "degradation"}
        for side, audit in zip(results["sides"], (first, second), strict=True):
            document = service.get(f"/v1/audits/{audit['id']}/results").json()
            own = {
                (row["measure"], row["view"]): row
                for row in document["summaries"]
                if (row["group_by"], row["group"]) == ("total", "macro")
            }
            means = {key: row["mean"] for key, row in own.items()}
            for total in side["totals"]:
                for name in ("mean", "ci95_low", "ci95_high", "n"):
                    assert total[name] == pytest.approx(own[total["measure"], total["view"]][name], abs=1e-12)
            flips = np.mean([means["geometric_resilience", f"flip_{way}"] for way in ("horizontal", "vertical")])
            removed = 1 - means["degradation", "salience_removed"], means["degradation", "non_salience_removed"]
            assert side["radar"] == {
                "entropy": pytest.approx(1 - means["entropy", "spatial"]),
                "noise_reaction": pytest.approx(means["noise_reaction", "noise@0.05"]),
                "geometric_resilience": pytest.approx(flips),
                "degradation": pytest.approx(np.mean(removed)),
                "stability": None,
            }

    def test_most_different_samples(self, service: httpx.Client, comparison: Json, first: Json, second: Json) -> None:
        before, after = (scores_of(service, audit)["entropy", "spatial"] for audit in (first, second))
        expected = sorted(before, key=lambda name: -abs(after[name][0] - before[name][0]))[:10]
        tables = comparison["results"]["most_different_samples"]
        table = next(table for table in tables if table["view"] == "spatial")
        assert [sample["sample"] for sample in table["samples"]] == expected
        one = table["samples"][0]
        assert one["difference"] == one["score_second"] - one["score_first"]
        assert (one["label"], one["source"]) == tuple(one["sample"].split("/")[:2])

    def test_again_gives_the_same_bits(
        self, compare: Callable[..., Json], comparison: Json, first: Json, second: Json
    ) -> None:
        assert compare(first, second)["results"] == comparison["results"]

    def test_blocks_of_columns_change_nothing(
        self, service_engine: Engine, comparison: Json, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """With room for one column at a time, as over millions of samples: the same document to the bit."""
        monkeypatch.setattr("worker.results.series.MEMORY_BUDGET", 1)
        with transaction(service_engine) as session:
            row = session.get_one(ComparisonRow, comparison["id"])
            assert json.loads(json.dumps(comparison_document(session, row))) == row.document

    def test_audits_that_ran_on_different_processors(
        self, service_engine: Engine, comparison: Json, first: Json, second: Json
    ) -> None:
        """The document says so, and which ran where."""
        assert comparison["results"]["made_differently"] == []
        with Session(service_engine) as session:
            for audit, processor in ((first, "EPYC"), (second, "H200")):
                row = session.get_one(AuditResultsRow, audit["id"])
                software = (row.document["software"] or {}) | {"processor": processor}
                row.document = {**row.document, "software": software}
            found = comparison_document(session, session.get_one(ComparisonRow, comparison["id"]))
            session.rollback()
        values = {first["id"]: "EPYC", second["id"]: "H200"}
        assert found["made_differently"] == [{"name": "processor", "values": values}]

    def test_audits_of_several_models(
        self, service: httpx.Client, compare: Callable[..., Json], groups: list[Json]
    ) -> None:
        """A side is the mean of its models' scores; stability is compared as well."""
        found = compare(*groups)
        before, after = (scores_of(service, audit) for audit in groups)
        for key, scores in before.items():
            values = [np.mean(after[key][name]) - np.mean(one) for name, one in scores.items()]
            [row] = rows_of(found, measure=key[0], view=key[1], group="micro")
            assert row["difference"] == pytest.approx(np.mean(values), abs=1e-12)
        assert rows_of(found, measure="stability")
        assert all(side["radar"]["stability"] is not None for side in found["results"]["sides"])
        assert [len(side["models"]) for side in found["results"]["sides"]] == [2, 2]

    def test_models_of_one_audit(self, compare: Callable[..., Json], groups: list[Json]) -> None:
        found = compare(groups[0], by="model")
        assert found["status"] == "succeeded", found
        names = [side["models"][0]["name"] for side in found["results"]["sides"]]
        assert names == ["cross_entropy_run1", "cross_entropy_run2"]
        assert not rows_of(found, measure="stability")

    def test_read_list_and_delete(
        self, service: httpx.Client, compare: Callable[..., Json], first: Json, second: Json
    ) -> None:
        made = compare(second, first)
        listed = service.get("/v1/comparisons", params={"limit": 1}).json()
        assert listed["items"] == [{name: value for name, value in made.items() if name != "results"}]
        assert listed["next_cursor"]
        path = f"/v1/comparisons/{made['id']}"
        assert service.delete(path).status_code == 204
        check_problem(service.get(path), 404, "not-found")
        check_problem(service.delete(path), 404, "not-found")

    def test_one_that_is_being_computed_is_not_deleted(
        self, service: httpx.Client, service_engine: Engine, compare: Callable[..., Json], first: Json, second: Json
    ) -> None:
        """A worker holds the row's lock meanwhile; the request must not wait for it."""
        path = f"/v1/comparisons/{compare(first, second)['id']}"
        with transaction(service_engine) as session:
            session.get(ComparisonRow, path.rpartition("/")[2], with_for_update=True)
            check_problem(service.delete(path), 409, "comparison-running")
        assert service.delete(path).status_code == 204

    def test_it_outlives_its_audits_but_needs_them_to_begin(
        self,
        service: httpx.Client,
        service_engine: Engine,
        start: Callable[..., Json],
        compare: Callable[..., Json],
        first_entropy: Json,
    ) -> None:
        passing = start("human_guided_run2", protocol=ENTROPY_ONLY)
        made = compare(first_entropy, passing)
        assert service.delete(f"/v1/audits/{passing['id']}").status_code == 204
        assert service.get(f"/v1/comparisons/{made['id']}").json() == made
        late = uuid4()
        with transaction(service_engine) as session:
            ids = [UUID(audit["id"]) for audit in (first_entropy, passing)]
            row = ComparisonRow(id=late, by=ComparisonUnit.AUDIT, audit_ids=ids)
            row.updated_at = datetime(2020, 1, 1, tzinfo=UTC)
            session.add(row)
        ended = wait_for(service, f"/v1/comparisons/{late}", "succeeded", "failed")
        assert (ended["status"], ended["problem"]["code"], ended["results"]) == ("failed", "audit-deleted", None)

    def test_the_reconciler_finds_what_nobody_heard_of(
        self, service: httpx.Client, service_engine: Engine, comparison: Json
    ) -> None:
        """As after a broker that lost its messages; and one that has crashed its worker too often is given up."""
        again, hopeless = uuid4(), uuid4()
        with transaction(service_engine) as session:
            made = session.get_one(ComparisonRow, comparison["id"])
            for comparison_id, attempt in ((again, 0), (hopeless, 3)):
                row = ComparisonRow(id=comparison_id, by=made.by, audit_ids=made.audit_ids, attempt=attempt)
                row.updated_at = made.created_at.replace(year=2020)
                session.add(row)
        found = wait_for(service, f"/v1/comparisons/{again}", "succeeded", "failed")
        assert found["results"] == comparison["results"]
        lost = wait_for(service, f"/v1/comparisons/{hopeless}", "succeeded", "failed")
        assert (lost["status"], lost["problem"]["code"]) == (OwedStatus.FAILED, "comparison-crashed-worker")
