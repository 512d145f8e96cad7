"""Serve, audit two run groups of three models, compare them, print the table and where the report is, stop it all."""

import json
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress

from app.demo.service import DemoFailed, running_service
from app.demo.table import comparison_table, verdict_lines
from salience_audit import Client, ClientError, Event
from salience_audit.documents import Audit, Model
from salience_audit.results import Results

Json = dict[str, Any]

FACES = Path(__file__).resolve().parents[2] / "examples" / "faces"
STRATEGIES = {"cross-entropy": "cross_entropy", "human-guided": "human_guided"}
RUNS = (1, 2, 3)


GATE = (
    "entropy.spatial.mean <= 0.9",
    "stability.mean >= 0.5",
    "noise_reaction.mean not worse than baseline by more than 0.05 (ci)",
)
"""Judges the second strategy, with the first as its baseline."""
LINK_SECONDS = 7 * 86_400
PORT = 8000


@dataclass(frozen=True)
class Extent:
    """How much is audited: all of it, unless a test makes it less."""

    sample_limit: int | None = None
    protocol: Json | None = None


EVERYTHING = Extent()


@dataclass(frozen=True)
class Outcome:
    """What the demo leaves behind.

    ``judged`` is the second strategy's audit with what its gate says; ``report_path`` is the address behind the
    service's own.
    """

    results: dict[str, Results]
    judged: Audit
    comparison_id: str
    report: bytes
    report_path: str


def run_demo(data: Path, *, as_json: bool = False, extent: Extent = EVERYTHING) -> int:
    """Exit status: 0 only if both audits and their comparison succeeded.

    ``as_json``: standard output is one document.
    """
    console = Console(soft_wrap=True, stderr=as_json)
    try:
        with running_service(data) as (url, api_key):
            console.print(f"The service runs at {url} (Swagger UI: {url}/docs)")
            with Client(url, api_key) as client:
                outcome = _audit_both(client, console, extent)
    except (DemoFailed, ClientError) as failure:
        console.print("[red]The demo failed:[/red]", escape(str(failure)), highlight=False)
        if as_json:
            _print_json({"error": {"code": getattr(failure, "code", "demo-failed"), "detail": str(failure)}})
        return 1
    folder = _keep(outcome, data)
    _tell(outcome, data, console)
    if as_json:
        _print_json(_document(outcome, folder))
    return 0


def _keep(outcome: Outcome, data: Path) -> Path:
    folder = data / "results"
    folder.mkdir(parents=True, exist_ok=True)
    for strategy, document in outcome.results.items():
        (folder / f"{STRATEGIES[strategy]}.json").write_text(json.dumps(document, indent=1), encoding="utf-8")
    (folder / "report.html").write_bytes(outcome.report)
    return folder


def _document(outcome: Outcome, folder: Path) -> Json:
    audits = {strategy: document["audit_id"] for strategy, document in outcome.results.items()}
    files = {strategy: str(folder / f"{STRATEGIES[strategy]}.json") for strategy in outcome.results}
    verdict = {name: outcome.judged[name] for name in ("verdict", "conditions")}
    report = {"report": str(folder / "report.html"), "report_url": outcome.report_path}
    return {"audits": audits, "results": files, **verdict, "comparison": outcome.comparison_id, **report}


def _print_json(document: Json) -> None:
    sys.stdout.write(json.dumps(document, indent=2) + "\n")


def _tell(outcome: Outcome, data: Path, console: Console) -> None:
    folder = data / "results"
    console.print(comparison_table(outcome.results))
    for line in verdict_lines(outcome.judged, *outcome.results):
        console.print(line, markup=False, highlight=False)
    again = f"make serve DATA={shlex.quote(str(data))}".replace("$", "$$")
    for line in (
        f"The results as JSON: {folder}/cross_entropy.json and human_guided.json",
        f"The service is stopped; `{again}` starts it again with these audits in it:",
        f"  Swagger UI is then at http://127.0.0.1:{PORT}/docs; its key lies in {data}/api-key",
        f"  the report at http://127.0.0.1:{PORT}{outcome.report_path}",
        f"The report that compares the two strategies: {(folder / 'report.html').as_uri()}",
    ):
        console.print(line, markup=False)


def _audit_both(client: Client, console: Console, extent: Extent) -> Outcome:
    recipe = _recipe()
    faces = client.push_dataset(_archive(), name="LFW faces and non-faces")
    console.print(f"Data set: {faces['sample_count']} images, labels {', '.join(faces['labels'])}")
    gate = client.create_gate("release", GATE)
    results: dict[str, Results] = {}
    audits: list[Audit] = []
    for strategy, stem in STRATEGIES.items():
        models = [_upload_model(client, recipe, f"{stem}_run{run}") for run in RUNS]
        group = client.create_run_group(strategy, [model["id"] for model in models])
        audit = client.run_audit(
            faces["id"],
            run_group_id=group["id"],
            name=strategy,
            gate_id=gate["id"] if audits else None,
            baseline_audit_id=audits[-1]["id"] if audits else None,
            sample_limit=extent.sample_limit,
            protocol=extent.protocol,
        )
        console.print(f"Run group {strategy}: three {recipe['architecture']}, audit {audit['id']}")
        audits.append(_watched(client, audit, strategy, console))
        results[strategy] = client.results(audit["id"])
    return _compared(client, results, audits[-1])


def _compared(client: Client, results: dict[str, Results], judged: Audit) -> Outcome:
    ids = [document["audit_id"] for document in results.values()]
    comparison = client.compare(ids, name=" against ".join(results))
    link = client.comparison_report_link(comparison["id"], expires_in_seconds=LINK_SECONDS)
    report = client.comparison_report(comparison["id"])
    return Outcome(results, judged, comparison["id"], report, link.removeprefix(client.url))


def _upload_model(client: Client, recipe: Json, name: str) -> Model:
    return client.push_model(FACES / "weights" / f"{name}.safetensors", description=recipe | {"name": name})


def _recipe() -> Json:
    path = FACES / "recipe.json"
    if not path.exists():
        raise DemoFailed(f"{path} is missing; run the demo from a checkout of the repository.")
    recipe: Json = json.loads(path.read_text(encoding="utf-8"))
    return recipe


def _archive() -> bytes:
    sys.path.insert(0, str(FACES))
    from prepare import build_archive  # noqa: PLC0415 - a script of the examples

    return build_archive()


def _watched(client: Client, audit: Audit, strategy: str, console: Console) -> Audit:
    with Progress(console=console) as progress:
        task = progress.add_task(f"Audit {strategy}", total=audit["progress"]["total"])

        def show(event: Event) -> None:
            if event.name == "progress":
                progress.update(task, completed=event.data["done"])

        return client.wait(audit["id"], show)
