"""Jobs small enough to be written by hand."""

from typing import Any

from app.domain.protocol import ProtocolRequest
from app.reports.job import ReportJob
from app.reports.pictures import Gallery
from app.reports.series import series_of_audit

Json = Any
"""Documents written by hand, with what a test is about and no more."""

MEASURES: Json = {
    "entropy": {},
    "noise_reaction": {"curve": []},
    "geometric_resilience": {"groups": ["flips", "rotations"]},
    "degradation": {},
}


def summary(measure: str, view: str, mean: float, group: str = "total/macro", **changes: Any) -> Json:
    """Of model ``m``, ten samples, an interval of 0.01 to either side."""
    group_by, _, name = group.partition("/")
    same = {"measure": measure, "view": view, "model_id": "m", "group_by": group_by, "group": name, "mean": mean}
    beside: Json = {"n": 10, "n_undefined": 0, "std": 0.1, "control_mean": None, "flip_rate": None, "says_nothing": []}
    return same | beside | {"ci95_low": mean - 0.01, "ci95_high": mean + 0.01} | changes


def job(*summaries: Json, accuracy: float | None = None) -> ReportJob:
    """The report of an audit of one model with these summaries."""
    protocol = ProtocolRequest.model_validate({"measures": MEASURES}).resolve().to_json()
    performance = [] if accuracy is None else [{"condition": "clean", "model_id": "m", "accuracy": accuracy}]
    document: Json = {
        "audit_id": "1",
        "protocol": protocol,
        "models": [{"model_id": "m", "name": "net", "digest": "sha256:0"}],
        "summaries": list(summaries),
        "performance": performance,
        "stability": None,
        "noise_curves": [],
    }
    return ReportJob(
        kind="audit",
        identity="1",
        title="small",
        dataset="d",
        dataset_digest=None,
        sample_count=10,
        protocol=protocol,
        protocol_digest="sha256:1",
        finished_at=None,
        all_series=series_of_audit(document, None, as_runs=False),
        together=None,
        documents={"1": document},
        verdicts=[],
        comparison=None,
        gallery=Gallery(note=""),
        undefined=[],
    )
