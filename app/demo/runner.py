"""Serve, tell a cheat from an honest network, compare two strategies, say where the reports are, stop it all."""

import json
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape

from app.demo import first_chapter
from app.demo.service import DemoFailed, running_service
from app.demo.steps import FACES, Chapter, compared, pushed, recipe, scripts, watched
from app.demo.table import comparison_table, verdict_lines
from salience_audit import Client, ClientError
from salience_audit.documents import Audit

Json = dict[str, Any]

STRATEGIES = {"cross-entropy": "cross_entropy", "human-guided": "human_guided"}
RUNS = (1, 2, 3)
SAMPLES = 80
"""Of 200, so that both chapters take less than three minutes on two cores."""
GUIDANCE = (
    "The human-guided networks were guided by a face-shaped prior that we drew, not by human annotations; training "
    "and validation images are audited together."
)
GATE = (
    "entropy.spatial.mean <= 0.9",
    "stability.mean >= 0.5",
    "noise_reaction.mean not worse than baseline by more than 0.05 (ci)",
)
"""Judges the second strategy, with the first as its baseline."""
PORT = 8000


@dataclass(frozen=True)
class Extent:
    """How much is audited. The first two are of the strategies."""

    sample_limit: int = SAMPLES
    protocol: Json | None = None
    first_samples: int = first_chapter.SAMPLES
    first_protocol: Json | None = None


WHOLE = Extent()


def run_demo(data: Path, *, as_json: bool = False, extent: Extent = WHOLE) -> int:
    """Exit status: 0 only if all audits and their comparisons succeeded.

    ``as_json``: standard output is one document.
    """
    console = Console(soft_wrap=True, stderr=as_json)
    try:
        with running_service(data) as (url, api_key):
            console.print(f"The service runs at {url} (Swagger UI: {url}/docs)")
            with Client(url, api_key) as client:
                protocol = extent.first_protocol or first_chapter.PROTOCOL
                first = first_chapter.tell_apart(client, console, extent.first_samples, protocol)
                for line in first_chapter.told(first):
                    console.print(line, markup=False, highlight=False)
                strategies = _audit_both(client, console, extent)
    except (DemoFailed, ClientError) as failure:
        console.print("[red]The demo failed:[/red]", escape(str(failure)), highlight=False)
        if as_json:
            _print_json({"error": {"code": getattr(failure, "code", "demo-failed"), "detail": str(failure)}})
        return 1
    folder = _keep(first, strategies, data)
    _tell(first, strategies, data, console)
    if as_json:
        _print_json(_document(strategies, folder) | {"first_chapter": _first_document(first, folder)})
    return 0


def _keep(first: Chapter, strategies: Chapter, data: Path) -> Path:
    folder = data / "results"
    folder.mkdir(parents=True, exist_ok=True)
    for name, document in (first.results | strategies.results).items():
        (folder / f"{STRATEGIES.get(name, name)}.json").write_text(json.dumps(document, indent=1), encoding="utf-8")
    (folder / "report.html").write_bytes(strategies.report)
    (folder / "face_or_tag.html").write_bytes(first.report)
    return folder


def _document(strategies: Chapter, folder: Path) -> Json:
    audits = {strategy: audit["id"] for strategy, audit in strategies.audits.items()}
    files = {strategy: str(folder / f"{STRATEGIES[strategy]}.json") for strategy in strategies.results}
    judged = list(strategies.audits.values())[-1]
    verdict = {name: judged[name] for name in ("verdict", "conditions")}
    report = {"report": str(folder / "report.html"), "report_url": strategies.report_path}
    return {"audits": audits, "results": files, **verdict, "comparison": strategies.comparison_id, **report}


def _first_document(first: Chapter, folder: Path) -> Json:
    return {
        "audits": {name: audit["id"] for name, audit in first.audits.items()},
        "verdicts": {name: audit["verdict"] for name, audit in first.audits.items()},
        "comparison": first.comparison_id,
        "report": str(folder / "face_or_tag.html"),
        "report_url": first.report_path,
    }


def _print_json(document: Json) -> None:
    sys.stdout.write(json.dumps(document, indent=2) + "\n")


def _tell(first: Chapter, strategies: Chapter, data: Path, console: Console) -> None:
    folder = data / "results"
    console.print(comparison_table(strategies.results))
    for line in verdict_lines(list(strategies.audits.values())[-1], *strategies.audits):
        console.print(line, markup=False, highlight=False)
    again = f"make serve DATA={shlex.quote(str(data))}".replace("$", "$$")
    for line in (
        f"The results as JSON: {folder}/cross_entropy.json, human_guided.json and those of both networks",
        f"The service is stopped; `{again}` starts it again with these audits in it:",
        f"  Swagger UI is then at http://127.0.0.1:{PORT}/docs; its key lies in {data}/api-key",
        f"  the reports at http://127.0.0.1:{PORT}{first.report_path}",
        f"  and http://127.0.0.1:{PORT}{strategies.report_path}",
        f"The report that compares the two strategies: {(folder / 'report.html').as_uri()}",
        f"Which network reads the tag, and where it looks: {(folder / 'face_or_tag.html').as_uri()}",
    ):
        console.print(line, markup=False)


def _audit_both(client: Client, console: Console, extent: Extent) -> Chapter:
    about = {"description": GUIDANCE}
    faces = client.push_dataset(_archive(), name="LFW faces and non-faces", description=about)
    console.print(f"The second chapter: two training strategies, three runs of each. {GUIDANCE}")
    console.print(f"Data set: {faces['sample_count']} images, labels {', '.join(faces['labels'])}")
    gate = client.create_gate("release", GATE)
    audits: dict[str, Audit] = {}
    for strategy, stem in STRATEGIES.items():
        models = [pushed(client, FACES / "weights" / f"{stem}_run{run}.safetensors") for run in RUNS]
        group = client.create_run_group(strategy, [model["id"] for model in models])
        baseline = next(iter(audits.values()), None)
        audit = client.run_audit(
            faces["id"],
            run_group_id=group["id"],
            name=strategy,
            gate_id=gate["id"] if baseline else None,
            baseline_audit_id=baseline["id"] if baseline else None,
            sample_limit=extent.sample_limit,
            protocol=extent.protocol,
        )
        console.print(f"Run group {strategy}: three {recipe()['architecture']}, audit {audit['id']}")
        audits[strategy] = watched(client, audit, strategy, console)
    return compared(client, audits)


def _archive() -> bytes:
    scripts(FACES)
    from prepare import build_archive  # noqa: PLC0415 - a script of the examples

    return build_archive()
