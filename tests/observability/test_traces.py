"""One trace leads from the client through the request to the shard, its steps and the reduce."""

import subprocess
import sys

from tests.observability.conftest import REQUEST_ID, TRACE_ID, Watched
from tests.observability.otlp_receiver import FoundSpan
from tests.waiting import until


def one(watched: Watched, name: str, trace_id: str = TRACE_ID) -> FoundSpan:
    """The only one; an exporter that heard no answer in time sends it again."""

    def found() -> dict[str, FoundSpan]:
        return {span.span_id: span for span in watched.receiver.named(name) if span.trace_id == trace_id}

    until(lambda: bool(found()))
    (only,) = found().values()
    return only


def test_one_trace_from_the_client_to_the_shard(watched: Watched) -> None:
    request, shard = one(watched, "POST /v1/audits"), one(watched, "shard")
    assert request.service == "salience-audit-api"
    assert request.parent_id == "b7ad6b7169203331"
    assert request.attributes["request_id"] == REQUEST_ID
    assert request.attributes["http.route"] == "/v1/audits"
    assert shard.service == "salience-audit-worker"
    assert shard.parent_id == request.span_id
    assert shard.attributes["audit_id"] == watched.audit["id"]
    for step in ("claim", "compute", "store"):
        assert one(watched, step).parent_id == shard.span_id
    assert one(watched, "reduce").parent_id == shard.span_id


def test_uploads_lead_to_their_tasks(watched: Watched) -> None:
    for name, collection, subject in (("validate", "models", "model_id"), ("index", "datasets", "dataset_id")):
        (task,) = {span.span_id: span for span in watched.receiver.named(name)}.values()
        put = one(watched, f"PUT /v1/{collection}/{{{subject}}}/content", task.trace_id)
        assert task.parent_id == put.span_id
        assert subject in task.attributes


def test_no_span_holds_a_secret(watched: Watched) -> None:
    words = [word for span in watched.receiver.spans for word in (span.name, *span.attributes.values())]
    assert not [secret for secret in watched.secrets if any(secret in word for word in words)]
    assert all(headers["x-collector-key"] == "planted-collector-key" for headers in watched.receiver.headers)


def test_nothing_is_imported_where_no_exporter_is_set() -> None:
    """The packages may be there: FastAPI and redis-py import parts of them where they find them."""
    script = (
        "import sys; import app.main; from app.settings import Settings; from app.observability import tracing\n"
        "tracing.start_tracing(Settings(otel_exporter_otlp_endpoint=None, otel_traces_exporter=None), 'api')\n"
        "with tracing.span('work', parent={}) as span: span.note({'n': 1})\n"
        "assert tracing.trace_headers() == {}\n"
        "ours = ('opentelemetry.exporter', 'app.observability.otel')\n"
        "assert not [name for name in sys.modules if name.startswith(ours)]\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_the_console_prints_one_line_a_span() -> None:
    script = (
        "from app.settings import Settings; from app.observability import tracing\n"
        "tracing.start_tracing(Settings(otel_traces_exporter='console'), 'api')\n"
        "try:\n"
        "    with tracing.span('work'): raise ValueError('planted')\n"
        "except ValueError: pass\n"
        "tracing.stop_tracing()\n"
    )
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    (line,) = done.stderr.splitlines()
    assert '"name": "work"' in line
    assert '"description": "ValueError"' in line
    assert "planted" not in line
