"""The routes that answer in several forms, asked as programs and browsers ask."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.api.test_negotiation import CHROME, CHROME_IMAGE
from tests.comparisons.real_audits import PASS

Json = dict[str, Any]


@pytest.fixture(scope="module")
def paths(service: httpx.Client, judge: Callable[..., Json]) -> dict[str, str]:
    path = f"/v1/audits/{judge(PASS)['audit_id']}"
    score = service.get(f"{path}/samples", params={"limit": 1, "measure": "entropy"}).json()["items"][0]
    map_path = f"{path}/samples/{score['sample_id']}/map?model_id={score['model_id']}"
    return {"scores": f"{path}/samples?limit=1", "map": map_path, "verdict": f"{path}/verdict"}


@pytest.mark.parametrize(
    ("of", "accept", "form"),
    [
        ("scores", "Text/CSV;q=0.5", "text/csv"),
        ("scores", "text/csv;q=0, application/x-ndjson", "application/x-ndjson"),
        ("scores", "text/csv-schema", "application/json"),
        ("scores", CHROME, "application/json"),
        ("map", CHROME_IMAGE, "image/png"),
        ("map", "image/png;q=0", "application/json"),
        ("map", CHROME, "application/json"),
        ("verdict", "application/XML", "application/xml"),
        ("verdict", "text/xml, */*;q=0.1", "text/xml"),
        ("verdict", "application/xml;q=0", "application/json"),
        ("verdict", "application/json, application/xml;q=0.9", "application/json"),
        ("verdict", CHROME, "application/json"),
        ("verdict", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "application/json"),
        ("verdict", "application/pdf", "application/json"),
    ],
)
def test_form(service: httpx.Client, paths: dict[str, str], of: str, accept: str, form: str) -> None:
    answer = service.get(paths[of], headers={"Accept": accept})
    assert (answer.status_code, answer.headers["content-type"].split(";")[0]) == (200, form)
