"""Gates over HTTP, and their verdicts as JUnit XML."""

from collections.abc import Callable
from typing import Any

import httpx
import junitparser
import pytest

from tests.api.running_api import check_problem
from tests.comparisons.real_audits import FAIL, PASS, macro_total

Json = dict[str, Any]


class TestGates:
    def test_made_read_listed_deleted(self, service: httpx.Client, make_gate: Callable[..., Json]) -> None:
        made = make_gate("entropy.mean<=.9", "stability.mean >= 0.8")
        assert made["conditions"] == ["entropy.mean <= 0.9", "stability.mean >= 0.8"]
        path = f"/v1/gates/{made['id']}"
        assert service.get(path).json() == made
        page = service.get("/v1/gates", params={"limit": 1}).json()
        assert page["items"] == [made]
        assert service.delete(path).status_code == 204
        for call in (service.get, service.delete):
            check_problem(call(path), 404, "not-found")

    def test_equal_conditions_have_one_digest(self, make_gate: Callable[..., Json]) -> None:
        one, same, other = make_gate(PASS), make_gate("entropy.spatial.mean<=1.0", name="b"), make_gate(FAIL)
        assert one["digest"] == same["digest"] != other["digest"]

    @pytest.mark.parametrize(
        ("conditions", "loc", "message"),
        [
            (["entropy.mean <= 1", "entropy.mode <= 1"], ["body", "conditions", 1], "at character 9: expected a view"),
            (["entropy.mean <= 1", "entropy.mean<=1"], ["body", "conditions"], "must be distinct"),
            ([], ["body", "conditions"], "at least 1 item"),
            (["x" * 501], ["body", "conditions", 0], "at most 500 characters"),
            ([7], ["body", "conditions", 0], "valid string"),
        ],
    )
    def test_mistakes_name_their_place(
        self, service: httpx.Client, conditions: list[Any], loc: list[Any], message: str
    ) -> None:
        answer = service.post("/v1/gates", json={"name": "bad", "conditions": conditions})
        check_problem(answer, 422, "validation-error")
        [error] = answer.json()["errors"]
        assert error["loc"] == loc
        assert message in error["msg"]

    def test_the_grammar_is_in_the_documentation(self, service: httpx.Client) -> None:
        operation = service.get("/openapi.json").json()["paths"]["/v1/gates"]["post"]
        assert 'condition = quantity limit [ "(" option' in operation["description"]


class TestJUnit:
    def test_a_real_parser_reads_it(self, service: httpx.Client, judge: Callable[..., Json], first: Json) -> None:
        mine = macro_total(service, first, "entropy", "spatial")["mean"]
        name = 'entropy[source="<b>&\\"\u0001 \U0001f600"].mean <= 1 (missing ok)'
        document = judge(PASS, FAIL, f"entropy.mean <= {mine:.4f} (ci)", f"{FAIL} (warn)", name)
        path = f"/v1/audits/{document['audit_id']}/verdict"
        for accept in ("application/xml", "text/xml", "application/xml;q=0.9, */*;q=0.1"):
            answer = service.get(path, headers={"Accept": accept})
            assert answer.headers["content-type"].split(";")[0] in {"application/xml", "text/xml"}
        suites = junitparser.JUnitXml.fromstring(answer.content)
        [suite] = suites
        assert (suite.name, suite.tests, suite.failures, suite.errors, suite.skipped) == ("release", 5, 1, 1, 1)
        assert (suites.tests, suites.failures, suites.errors, suites.skipped) == (5, 1, 1, 1)
        properties = {one.name: one.value for one in suite.properties()}
        assert (properties["verdict"], properties["audit_id"]) == ("failed", document["audit_id"])
        cases = list(suite)
        kinds = [[type(result).__name__ for result in case.result] for case in cases]
        assert kinds == [[], ["Failure"], ["Error"], ["Skipped"], []]
        assert [case.classname for case in cases] == ["gate.release"] * 5
        assert [case.name for case in cases[:4]] == [row["condition"] for row in document["conditions"][:4]]
        assert cases[4].name == document["conditions"][4]["condition"].replace("\u0001", "\ufffd")
        assert cases[1].result[0].message == document["conditions"][1]["explanation"]
