"""Audits that cannot be compared, and what is said of them."""

import io
import zipfile
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import httpx
import pytest
from prepare import build_archive

from tests.api.running_api import check_problem
from tests.comparisons.real_audits import ENTROPY_ONLY, rows_of
from tests.waiting import upload

Json = dict[str, Any]


class TestRefused:
    def test_what_differs_is_named(self, service: httpx.Client, start: Callable[..., Json], first: Json) -> None:
        other = start(
            "cross_entropy_run1",
            protocol={"micro_batch": 4, "seed": 3, "measures": {"noise_reaction": {"amount": 0.1, "curve": []}}},
            sample_limit=2,
        )
        answer = service.post("/v1/comparisons", json={"audit_ids": [first["id"], other["id"]]})
        detail = check_problem(answer, 422, "audits-differ")
        fields = [
            "sample_draw",
            "protocol.measures.degradation",
            "protocol.measures.entropy",
            "protocol.measures.geometric_resilience",
            "protocol.measures.noise_reaction.amount",
            "protocol.seed",
        ]
        assert all(field in detail for field in fields)
        errors = answer.json()["errors"]
        assert [error["loc"] for error in errors] == [["body", "audit_ids", 1]] * len(fields)
        assert {error["msg"].split()[0] for error in errors} == set(fields)

    def test_another_data_set_is_refused_and_the_same_bytes_are_not(
        self, service: httpx.Client, start: Callable[..., Json], compare: Callable[..., Json], first_entropy: Json
    ) -> None:
        """The digest counts, not the id."""
        again = upload(service, "datasets", {"name": "the same"}, build_archive())
        copy = start("cross_entropy_run1", dataset_id=again["id"], protocol=ENTROPY_ONLY)
        [row] = rows_of(compare(first_entropy, copy), measure="entropy", view="spatial", group="macro")
        assert (row["difference"], row["p_value"], row["p_holm"], row["favours"]) == (0.0, 1.0, 1.0, None)
        renamed = upload(service, "datasets", {"name": "other"}, renamed_archive())
        other = start("cross_entropy_run1", dataset_id=renamed["id"], protocol=ENTROPY_ONLY)
        answer = service.post("/v1/comparisons", json={"audit_ids": [first_entropy["id"], other["id"]]})
        assert "dataset_digest" in check_problem(answer, 422, "audits-differ")

    @pytest.mark.parametrize(
        ("change", "status", "code"),
        [
            ({"audit_ids": []}, 422, "validation-error"),
            ({"audit_ids": ["nonsense"]}, 422, "validation-error"),
            ({"extra": 1}, 422, "validation-error"),
            ({"by": "sample"}, 422, "validation-error"),
            ({"audit_ids": [str(uuid4())]}, 422, "unknown-audits"),
        ],
    )
    def test_refused(
        self, service: httpx.Client, first: Json, second: Json, change: Json, status: int, code: str
    ) -> None:
        body = {"audit_ids": [first["id"], second["id"]]} | change
        check_problem(service.post("/v1/comparisons", json=body), status, code)

    def test_too_few_sides_and_twice_the_same(self, service: httpx.Client, first: Json) -> None:
        check_problem(service.post("/v1/comparisons", json={"audit_ids": [first["id"]]}), 422, "too-few-sides")
        twice = {"audit_ids": [first["id"]] * 2}
        check_problem(service.post("/v1/comparisons", json=twice), 422, "validation-error")

    def test_unfinished_audits(
        self, service: httpx.Client, dataset: Json, models: dict[str, Json], first: Json
    ) -> None:
        body = {"dataset_id": dataset["id"], "model_ids": [models["cross_entropy_run1"]["id"]]}
        waiting = service.post("/v1/audits", json=body).json()
        request = {"audit_ids": [first["id"], waiting["id"]]}
        check_problem(service.post("/v1/comparisons", json=request), 409, "audit-not-finished")
        service.post(f"/v1/audits/{waiting['id']}/cancel")
        check_problem(service.post("/v1/comparisons", json=request), 409, "audit-cancelled")


def renamed_archive() -> bytes:
    """The same pictures, one of them under another name."""
    source, target = zipfile.ZipFile(io.BytesIO(build_archive())), io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name in source.namelist():
            archive.writestr(name.replace("/000.png", "/zero.png"), source.read(name))
    return target.getvalue()
