"""A link opens one report without a key, and nothing else."""

import time
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from app.access.links import ReportLink
from app.db.tables import DEFAULT_TENANT
from tests.api.running_api import Api, check_problem
from tests.keys import SECRET
from tests.waiting import PATIENCE_SECONDS

Json = dict[str, Any]
NO_KEY = {"Authorization": ""}


def test_a_link_opens_its_report_without_a_key(service: httpx.Client, strategies_compared: Json) -> None:
    address = f"/v1/comparisons/{strategies_compared['id']}"
    made = service.post(f"{address}/report-links", json={"expires_in_seconds": 60})
    assert made.status_code == 201, made.text
    with httpx.Client(base_url=service.base_url, timeout=PATIENCE_SECONDS) as stranger:
        opened = stranger.get(made.json()["url"])
        assert opened.status_code == 200
        assert "two strategies" in opened.text
        token = made.json()["url"].partition("?")[2]
        for path in (address, f"{address}/plots/radar.svg", "/v1/audits", f"/v1/comparisons/{uuid4()}/report"):
            assert stranger.get(f"{path}?{token}").status_code == 401


@pytest.mark.parametrize("change", ["tenant", "path", "expires", "signature", "twice", "secret"])
def test_a_link_that_was_changed_opens_nothing(api: Api, change: str) -> None:
    audit_id = uuid4()
    path = f"/v1/audits/{audit_id}/report"
    expires = int(time.time()) + (-1 if change == "expires" else 60)
    link = ReportLink(DEFAULT_TENANT, path, expires)
    token = link.token(b"another secret" if change == "secret" else SECRET.encode())
    tenant, end, signature = token.split(".")
    changed = {
        "tenant": f"?link={UUID(int=1).hex}.{end}.{signature}",
        "signature": f"?link={tenant}.{end}.{'A' * 43}",
        "twice": f"?link={token}&link={token}",
    }
    asked = f"/v1/audits/{uuid4()}/report" if change == "path" else path
    with httpx.Client(base_url=api.client.base_url, timeout=PATIENCE_SECONDS) as stranger:
        check_problem(stranger.get(asked + changed.get(change, f"?link={token}")), 401, "unauthenticated")
        # The same link unchanged gets as far as the audit that is not there.
        good = ReportLink(DEFAULT_TENANT, path, int(time.time()) + 60).token(SECRET.encode())
        check_problem(stranger.get(f"{path}?link={good}"), 404, "not-found")


def test_a_link_lasts_seven_days_at_most(api: Api) -> None:
    answer = api.client.post(f"/v1/audits/{uuid4()}/report-links", json={"expires_in_seconds": 7 * 24 * 3600 + 1})
    check_problem(answer, 422, "validation-error")
    check_problem(api.client.post(f"/v1/audits/{uuid4()}/report-links", json={}), 404, "not-found")


def test_more_fields_than_a_report_has(api: Api) -> None:
    path = f"/v1/audits/{uuid4()}/report"
    many = path + "?" + "&".join(["a=1"] * 40)
    with httpx.Client(base_url=api.client.base_url, timeout=PATIENCE_SECONDS) as stranger:
        check_problem(stranger.get(many), 401, "unauthenticated")
    check_problem(api.client.get(many), 422, "validation-error")
    check_problem(api.client.get(path), 404, "not-found")
