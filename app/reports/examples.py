"""Examples of reports, their figures and their links; a page and a picture speak for themselves."""

from app.http.openapi.example_form import BODY, FINISHED, JSON, RouteExamples, codes
from app.http.openapi.example_ids import AUDITS, COMPARISON

_UNKNOWN = {"audits": "No such audit.", "comparisons": "No such comparison."}
_IDS = {"audits": AUDITS[0], "comparisons": COMPARISON}
_UNFINISHED = {
    "audits": FINISHED,
    "comparisons": codes("comparison-not-finished", "audits-deleted"),
}
_PATHS = {"audits": "/v1/audits/{audit_id}", "comparisons": "/v1/comparisons/{comparison_id}"}
_DRAWING = codes("report-timeout")


def _link(room: str) -> dict[str, str]:
    signed = "00000000000070008000000000000001.1795700000.NOBODYSSIGNATURE"
    return {"url": f"/v1/{room}/{_IDS[room]}/report?link={signed}", "expires_at": "2026-11-26T13:33:20Z"}


def _of(room: str) -> dict[str, RouteExamples]:
    path, unknown = _PATHS[room], {"not-found": _UNKNOWN[room]}
    no_figure = {"not-found": "No such figure; this report has radar, noise-curve, geometry, roc, stability."}
    return {
        f"GET {path}/report": RouteExamples(
            problems=unknown | _UNFINISHED[room] | _DRAWING | codes("validation-error")
        ),
        f"GET {path}/plots/{{name}}.{{form}}": RouteExamples(problems=no_figure | _UNFINISHED[room] | _DRAWING),
        f"POST {path}/report-links": RouteExamples(
            requests={"For an hour": {"expires_in_seconds": 3600}},
            answers={201: {JSON: _link(room)}},
            problems=unknown | BODY,
        ),
    }


ROUTES = _of("audits") | _of("comparisons")
