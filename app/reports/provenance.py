"""What it takes to make a report's numbers again, and which of them could not be made."""

from collections.abc import Iterator

from app.domain.audits.subjects import model_of
from app.domain.measures import spec_of, view_title
from app.domain.models.fidelity import NO_REFERENCE, Fidelity
from app.domain.results.documents import ResultsDocument
from app.domain.vocabulary import UndefinedReason
from app.reports.job import AuditFacts, ReportJob
from app.reports.tables import Table
from app.reports.words import NO_NUMBER, REASONS, counted, listed

MOST_VIEWS = 4
Row = tuple[str, str]


def provenance(job: ReportJob) -> Table:
    """Of the report, then of every audit."""
    rows: list[Row] = [
        (job.kind, job.identity),
        ("data set", f"{job.dataset}, {counted(job.sample_count, 'sample')}"),
        ("data set digest", job.dataset_digest or NO_NUMBER),
        ("protocol digest", job.protocol_digest),
        ("finished", job.finished_at or NO_NUMBER),
    ]
    found: dict[str, dict[str, str]] = {}
    for audit_id, document in job.documents.items():
        facts = job.audits.get(audit_id)
        name = facts.name if facts else audit_id
        for what, which in _of_audit(job, audit_id, document, facts):
            found.setdefault(what, {})[name] = which
    for what, by_audit in found.items():
        alike = len(by_audit) == len(job.documents) and len(set(by_audit.values())) == 1
        named = (
            {what: next(iter(by_audit.values()))}
            if alike
            else {f"{what} of {name}": by_audit[name] for name in by_audit}
        )
        rows += named.items()
    return Table("Provenance", ("what", "which"), tuple(rows), words=(1,))


def _of_audit(job: ReportJob, audit_id: str, document: ResultsDocument, facts: AuditFacts | None) -> Iterator[Row]:
    if job.kind == "comparison":
        yield "audit", audit_id
    if facts is not None:
        if job.kind == "comparison":
            yield "end", facts.finished_at or NO_NUMBER
        yield "processor", facts.device_class
        if facts.replanned:
            yield "protocol changed by the service", facts.replanned
    shown = {model_id for series in job.all_series for model_id in series.model_ids}
    layers = {} if facts is None else facts.layers
    unverified = []
    for model in document["models"]:
        if model["model_id"] in shown:
            layer = layers.get(model["model_id"])
            salience = f"; salience taken at {layer}" if layer else ""
            yield f"{job.noun} {model['name']}", f"{model['digest']} ({model['model_id']}){salience}"
            fidelity = Fidelity.of(model.get("fidelity"))
            if model_of(model["model_id"]) is None:
                continue
            if fidelity is None:
                unverified.append(model["name"])
            else:
                yield f"fidelity of {model['name']}", fidelity.in_words()
    if unverified:
        yield f"fidelity of {listed(unverified)}", NO_REFERENCE
    versions = document.get("software") or {}
    yield "software", ", ".join(f"{name} {version}" for name, version in versions.items()) or "unknown"


def undefined_table(job: ReportJob) -> Table | None:
    """Scores that could not be made, and why; those of a measure that the same samples lack stand together."""
    together: dict[tuple[str, ...], list[str]] = {}
    for row in job.undefined or ():
        which = (row.model, row.measure, _reason(row.measure, row.reason), str(row.count), ", ".join(row.samples))
        together.setdefault(which, []).append(view_title(row.view))
    rows = tuple(
        (model, _scores(measure, views), reason, count, samples)
        for (model, measure, reason, count, samples), views in together.items()
    )
    head = (job.noun, "score", "reason", "samples", "the first of them")
    caption = "Undefined scores, left out of every mean"
    return Table(caption, head, rows, words=(1, 2, 4)) if rows else None


def _scores(measure: str, views: list[str]) -> str:
    shown = listed(views) if len(views) <= MOST_VIEWS else f"{len(views)} views, such as {views[0]}"
    return f"{spec_of(measure).title}, {shown}"


def _reason(measure: str, code: str) -> str:
    """In words, and the code that the API uses. Stability compares runs with one another, not images."""
    words = spec_of(measure).undefined_words.get(code)
    return f"{words or REASONS[code]} ({code})" if code in set(UndefinedReason) else code
