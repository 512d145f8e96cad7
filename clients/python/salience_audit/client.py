"""Audits, and the numbers that come of them."""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Literal, TypedDict, Unpack

from salience_audit.documents import Audit, AuditEstimate, AuditVerdict
from salience_audit.errors import AuditEnded, ComparisonFailed, Json
from salience_audit.events import Event, follow
from salience_audit.resources import Resources
from salience_audit.results import Compared

if TYPE_CHECKING:
    pass

from salience_audit.numbers import Numbers
from salience_audit.reports import Reports

COMPARISON_POLL_SECONDS = 0.5


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


class Client(Resources, Numbers, Reports):
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


def _body(dataset_id: str, options: AuditOptions) -> Json:
    body: Json = {"dataset_id": dataset_id} | dict(options)
    if isinstance(body.get("protocol"), str):
        body["protocol"] = {"preset": body["protocol"]}
    return body
