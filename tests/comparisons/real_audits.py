"""What the audits of these tests look at: few views of few samples, since audits cost time."""

from typing import Any

import httpx

Json = dict[str, Any]

FAIL = "entropy.spatial.mean <= 0.01"
PASS = "entropy.spatial.mean <= 1"

SAMPLES = 14
PROTOCOL: dict[str, Any] = {
    "micro_batch": 4,
    "measures": {
        "entropy": {},
        "noise_reaction": {"curve": []},
        "geometric_resilience": {"groups": ["flips"]},
        "degradation": {},
    },
}
ENTROPY_ONLY: dict[str, Any] = {"micro_batch": 4, "measures": {"entropy": {}}}
"""Next to nothing to compute, where the clean maps are there already."""
WITH_EVERYTHING: dict[str, Any] = {
    "entropy": {},
    "noise_reaction": {"curve": [0.01, 0.5], "deformations": [{"kind": "frost", "severities": [2, 4]}]},
    "geometric_resilience": {"deformations": [{"kind": "elastic", "values": [0.25, 0.5]}]},
    "degradation": {},
    "stability": {},
}
COLUMNS = 2 + 1 + 3 + 2


def protocol_for(*conditions: str) -> dict[str, Any]:
    """What these conditions ask about, or entropy: an audit that is judged by little need not measure more."""
    measures = PROTOCOL["measures"]
    named = {name: settings for name, settings in measures.items() if any(name in text for text in conditions)}
    return PROTOCOL | {"measures": named or {"entropy": {}}}


def macro_total(service: httpx.Client, audit: Json, measure: str, view: str, **group: Any) -> Json:
    rows = service.get(f"/v1/audits/{audit['id']}/results").json()["summaries"]
    wanted = {"measure": measure, "view": view, "group_by": "total", "group": "macro"} | group
    return next(row for row in rows if wanted.items() <= row.items())


def rows_of(comparison: Json, **wanted: Any) -> list[Json]:
    return [row for row in comparison["results"]["differences"] if wanted.items() <= row.items()]
