"""What both chapters of the demo do: push networks, watch an audit, compare, and keep the report."""

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress

from app.demo.service import DemoFailed
from salience_audit import Client, Event
from salience_audit.documents import Audit, Model
from salience_audit.results import Results

Json = dict[str, Any]

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
FACES, SHORTCUTS = EXAMPLES / "faces", EXAMPLES / "shortcuts"
LINK_SECONDS = 7 * 86_400


@dataclass(frozen=True)
class Chapter:
    """Two audits that were compared: their results and the audits themselves by name, and the report.

    ``report_path`` is the address behind the service's own.
    """

    results: dict[str, Results]
    audits: dict[str, Audit]
    comparison_id: str
    report: bytes
    report_path: str


def compared(client: Client, audits: dict[str, Audit]) -> Chapter:
    """The comparison of finished audits, and its report."""
    ids = [audit["id"] for audit in audits.values()]
    comparison = client.compare(ids, name=" against ".join(audits))
    link = client.comparison_report_link(comparison["id"], expires_in_seconds=LINK_SECONDS)
    report = client.comparison_report(comparison["id"])
    results = {name: client.results(audit["id"]) for name, audit in audits.items()}
    return Chapter(results, audits, comparison["id"], report, link.removeprefix(client.url))


def pushed(client: Client, weights: Path) -> Model:
    """A network of the examples; all of them are of one recipe."""
    return client.push_model(weights, description=recipe() | {"name": weights.stem})


def recipe() -> Json:
    """Raises DemoFailed where the examples are missing."""
    path = FACES / "recipe.json"
    if not path.exists():
        raise DemoFailed(f"{path} is missing; run the demo from a checkout of the repository.")
    found: Json = json.loads(path.read_text(encoding="utf-8"))
    return found


def scripts(folder: Path) -> None:
    """Let the scripts of an example be imported."""
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))


def watched(client: Client, audit: Audit, name: str, console: Console) -> Audit:
    """Wait for an audit behind a bar. Raises ClientError where it does not succeed."""
    with Progress(console=console) as progress:
        task = progress.add_task(f"Audit {name}", total=audit["progress"]["total"])

        def show(event: Event) -> None:
            if event.name == "progress":
                progress.update(task, completed=event.data["done"])

        return client.wait(audit["id"], show)
