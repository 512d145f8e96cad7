"""Audits, and the numbers that come of them."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO, Literal, TypedDict, Unpack, overload

from salience_audit.documents import Audit, AuditEstimate, AuditVerdict, SampleScore
from salience_audit.errors import ApiError, AuditEnded, ComparisonFailed, Json
from salience_audit.events import Event, follow
from salience_audit.frames import FrameKind, frame_of_parquet, frame_of_rows, library
from salience_audit.pictures import Picture
from salience_audit.resources import Resources
from salience_audit.results import Compared, Results

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import polars as pl
    from numpy.typing import NDArray

PARQUET = "application/vnd.apache.parquet"
HTML = "text/html"
COMPARISON_POLL_SECONDS = 0.5
NUMBERS = ("mean", "std", "ci95_low", "ci95_high", "p05", "p25", "p50", "p75", "p95", "control_mean", "flip_rate")
"""Of a summary: null where the samples give none."""


class AuditOptions(TypedDict, total=False):
    """What ``POST /v1/audits`` may be asked for: either ``model_ids`` or ``run_group_id``, with ``map_set_ids`` or
    without, or those alone; None says nothing."""

    model_ids: Sequence[str] | None
    run_group_id: str | None
    map_set_ids: Sequence[str] | None
    protocol: Json | str | None
    """A document, or the name of a preset."""
    name: str | None
    sample_limit: int | None
    split: str | None
    stratify: Literal["label", "source"] | None
    group_by: Sequence[str] | None
    cluster: str | None
    label_map: Json | str | None
    gate_id: str | None
    baseline_audit_id: str | None
    device_class: Literal["cpu", "gpu"] | None


class ScoreFilter(TypedDict, total=False):
    """Which scores, as in ``GET /v1/audits/{id}/samples``."""

    measure: str
    view: str
    model_id: str
    label: str
    source: str
    order: Literal["asc", "desc", "worst"]


class Client(Resources):
    """A salience audit service, for notebooks and programs.

    Resources are dicts, as the API shows them, whose fields have types (``salience_audit.documents``). What fails in
    passing (a lost line, 429, 502, 503, 504) is sent again where that is safe: a POST too, since it has an
    Idempotency-Key. All errors are in ``salience_audit.errors``.

        with Client() as client:
            faces = client.push_dataset("faces.zip", name="faces")
            model = client.push_model("run1.safetensors", description=recipe | {"name": "run 1"})
            audit = client.run_audit(faces.id, model_ids=[model.id], sample_limit=32)
            client.wait(audit.id)
            client.summaries(audit.id).query("group_by == 'total'")
    """

    def run_audit(
        self, dataset_id: str, *, idempotency_key: str | None = None, **options: Unpack[AuditOptions]
    ) -> Audit:
        """Start an audit. With a key of yours, a second call with the same arguments gets the first one's audit."""
        return Audit(self._connection.post("/v1/audits", _body(dataset_id, options), key=idempotency_key))

    def estimate(self, dataset_id: str, **options: Unpack[AuditOptions]) -> AuditEstimate:
        """What the audit would take: passes, shards, seconds, bytes. Nothing is started."""
        return AuditEstimate(self._connection.post("/v1/audits:estimate", _body(dataset_id, options)))

    def audit(self, audit_id: str) -> Audit:
        """Its status, progress, resolved protocol, and its verdict if it names a gate."""
        return Audit(self._connection.get(f"/v1/audits/{audit_id}"))

    def audits(self, *, status: str | None = None) -> Iterator[Audit]:
        """The newest first, page by page."""
        return map(Audit, self._connection.pages("/v1/audits", status=status))

    def events(self, audit_id: str) -> Iterator[Event]:
        """What happens until the audit ends; the last event is ``end``.

        Goes on where it was after a lost line, and polls where no stream gets through.
        """
        return follow(self._connection, audit_id)

    def wait(self, audit_id: str, watch: Callable[[Event], None] = lambda _: None) -> Audit:
        """The audit, once it has succeeded; ``watch`` is told its events. Raises AuditEnded where it does not."""
        for event in self.events(audit_id):
            watch(event)
        audit = self.audit(audit_id)
        if audit["status"] != "succeeded":
            raise AuditEnded(audit)
        return audit

    def cancel(self, audit_id: str) -> Audit:
        """Workers stop within seconds; an audit that has ended stays as it is."""
        return Audit(self._connection.post(f"/v1/audits/{audit_id}/cancel"))

    def results(self, audit_id: str, *, partial: bool = False) -> Results:
        """The whole document; ``partial`` also before the end, from what is done."""
        return Results(self._connection.get(f"/v1/audits/{audit_id}/results", partial=partial or None))

    @overload
    def summaries(self, audit_id: str) -> "pd.DataFrame": ...
    @overload
    def summaries(self, audit_id: str, frame: Literal["pandas"]) -> "pd.DataFrame": ...
    @overload
    def summaries(self, audit_id: str, frame: Literal["polars"]) -> "pl.DataFrame": ...
    def summaries(self, audit_id: str, frame: FrameKind = "pandas") -> Any:
        """The results' ``summaries``, a row each. Raises MissingLibrary."""
        return frame_of_rows(self.results(audit_id)["summaries"], frame, NUMBERS)

    @overload
    def scores(self, audit_id: str, **wanted: Unpack[ScoreFilter]) -> "pd.DataFrame": ...
    @overload
    def scores(self, audit_id: str, frame: Literal["pandas"], **wanted: Unpack[ScoreFilter]) -> "pd.DataFrame": ...
    @overload
    def scores(self, audit_id: str, frame: Literal["polars"], **wanted: Unpack[ScoreFilter]) -> "pl.DataFrame": ...
    def scores(self, audit_id: str, frame: FrameKind = "pandas", **wanted: Unpack[ScoreFilter]) -> Any:
        """A row for each sample, model, measure and view, read as Parquet. Raises MissingLibrary."""
        content = self._connection.content(f"/v1/audits/{audit_id}/samples", PARQUET, **wanted)
        return frame_of_parquet(content, frame)

    def score_rows(self, audit_id: str, **wanted: str | None) -> Iterator[SampleScore]:
        """The same rows as dicts, page by page, without any library."""
        return map(SampleScore, self._connection.pages(f"/v1/audits/{audit_id}/samples", **wanted))

    def worst(self, audit_id: str, measure: str, view: str, *, model_id: str | None = None) -> Picture | None:
        """The sample with the worst score of a measure's view, and where the model looked; None where none has one."""
        rows = self.score_rows(audit_id, measure=measure, view=view, order="worst", model_id=model_id)
        row = next(rows, None)
        return None if row is None or row.score is None else self.picture(audit_id, row)

    def picture(self, audit_id: str, row: Mapping[str, Any]) -> Picture:
        """Of a score: a row of ``score_rows``, or of a frame as a dict (``scores(...).iloc[0].to_dict()``).

        Of a score that compares several images, the clean one; of one across models, the first model's.
        """
        named = row["model_id"]
        model_id = named if isinstance(named, str) else self.audit(audit_id).model_ids[0]
        try:
            png = self.map_picture(audit_id, row["sample_id"], model_id, row["view"])
        except ApiError as error:
            if error.code != "unknown-view":
                raise
            png = self.map_picture(audit_id, row["sample_id"], model_id)
        return Picture(row, png)

    def map_picture(self, audit_id: str, sample_id: str, model_id: str | None = None, view: str = "clean") -> bytes:
        """A PNG: the map in colour over the image."""
        path = f"/v1/audits/{audit_id}/samples/{sample_id}/map"
        return self._connection.content(path, "image/png", model_id=model_id, view=view)

    def salience_map(
        self, audit_id: str, sample_id: str, model_id: str | None = None, view: str = "clean"
    ) -> "NDArray[np.float32]":
        """The native map (h, w) in [0, 1]; all zero where it is undefined. One model alone needs no ``model_id``.

        Raises MissingLibrary without numpy.
        """
        path = f"/v1/audits/{audit_id}/samples/{sample_id}/map"
        values = self._connection.get(path, model_id=model_id, view=view)["values"]
        made: NDArray[np.float32] = library("numpy").array(values, dtype="float32")
        return made

    def views(
        self,
        audit_id: str,
        file: BinaryIO,
        *,
        needs: Literal["images", "maps"] = "images",
        model_id: str | None = None,
        subject: str | None = None,
    ) -> None:
        """Write the ZIP of an audit's changed images to ``file``, once it is made.

        ``needs`` is ``maps`` for images that follow a subject's clean maps, such as degradation's.
        """
        asked = {"needs": needs, "model_id": model_id, "subject": subject}
        while (pause := self._connection.saved(f"/v1/audits/{audit_id}/views", file, **asked)) is not None:
            time.sleep(pause)

    def verdict(self, audit_id: str) -> AuditVerdict:
        """What the audit's gate says, condition by condition."""
        return AuditVerdict(self._connection.get(f"/v1/audits/{audit_id}/verdict"))

    def verdict_as_junit(self, audit_id: str) -> bytes:
        """The same as JUnit XML, a test a condition."""
        return self._connection.content(f"/v1/audits/{audit_id}/verdict", "application/xml")

    def address_of(self, path: str) -> str:
        """The absolute address of a path that an answer tells, such as ``report_url``."""
        return self._connection.address(path)

    def compare(
        self, audit_ids: Sequence[str], *, name: str | None = None, by: Literal["audit", "model"] = "audit"
    ) -> Compared:
        """Paired differences on the same samples, computed by a worker. Raises ComparisonFailed."""
        body = {"audit_ids": list(audit_ids), "name": name, "by": by}
        comparison = self._connection.post("/v1/comparisons", body)
        while comparison["status"] == "queued":
            time.sleep(COMPARISON_POLL_SECONDS)
            comparison = self._connection.get(f"/v1/comparisons/{comparison['id']}")
        if comparison["status"] == "failed":
            raise ComparisonFailed(comparison)
        return Compared(comparison)

    def report(self, audit_id: str) -> bytes:
        """The audit as one self-contained HTML page. Raises TooSlow."""
        return self._connection.drawn(f"/v1/audits/{audit_id}/report", HTML)

    def comparison_report(self, comparison_id: str) -> bytes:
        """The comparison as one self-contained HTML page. Raises TooSlow."""
        return self._connection.drawn(f"/v1/comparisons/{comparison_id}/report", HTML)

    def plot(self, audit_id: str, name: str, form: Literal["svg", "png"] = "svg") -> bytes:
        """One figure of the audit's report, such as ``radar``. Raises TooSlow."""
        return self._connection.drawn(f"/v1/audits/{audit_id}/plots/{name}.{form}", "image/*")

    def comparison_plot(self, comparison_id: str, name: str, form: Literal["svg", "png"] = "svg") -> bytes:
        """One figure of the comparison's report. Raises TooSlow."""
        return self._connection.drawn(f"/v1/comparisons/{comparison_id}/plots/{name}.{form}", "image/*")

    def report_link(self, audit_id: str, *, expires_in_seconds: int = 86_400) -> str:
        """An address that opens the audit's report in a browser, without a key, until it expires."""
        return self._link(f"/v1/audits/{audit_id}", expires_in_seconds)

    def comparison_report_link(self, comparison_id: str, *, expires_in_seconds: int = 86_400) -> str:
        """An address that opens the comparison's report in a browser, without a key, until it expires."""
        return self._link(f"/v1/comparisons/{comparison_id}", expires_in_seconds)

    def _link(self, path: str, expires_in_seconds: int) -> str:
        made = self._connection.post(f"{path}/report-links", {"expires_in_seconds": expires_in_seconds})
        return self._connection.address(made["url"])


def _body(dataset_id: str, options: AuditOptions) -> Json:
    body: Json = {"dataset_id": dataset_id} | dict(options)
    if isinstance(body.get("protocol"), str):
        body["protocol"] = {"preset": body["protocol"]}
    return body
