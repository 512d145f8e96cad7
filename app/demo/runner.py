"""Serve, upload two run groups of three models, audit both, print the table, stop what was started."""

import json
import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress

from app.client import Client, ClientError, Event
from app.demo.service import DemoFailed, running_service
from app.demo.table import comparison_table

Json = dict[str, Any]

FACES = Path(__file__).resolve().parents[2] / "examples" / "faces"
STRATEGIES = {"cross-entropy": "cross_entropy", "human-guided": "human_guided"}
RUNS = (1, 2, 3)


def run_demo(data: Path) -> int:
    """Exit status: 0 only if both audits succeeded."""
    console = Console()
    try:
        with running_service(data) as (url, api_key):
            console.print(f"The service runs at {url} (Swagger UI: {url}/docs)")
            with Client(url, api_key) as client:
                results = _audit_both(client, console)
    except (DemoFailed, ClientError) as failure:
        console.print(f"[red]The demo failed:[/red] {failure}", highlight=False)
        return 1
    folder = data / "results"
    folder.mkdir(parents=True, exist_ok=True)
    for strategy, document in results.items():
        (folder / f"{STRATEGIES[strategy]}.json").write_text(json.dumps(document, indent=1), encoding="utf-8")
    console.print(comparison_table(results))
    console.print(f"The results as JSON: {folder}/cross_entropy.json and human_guided.json", soft_wrap=True)
    console.print(f"The service is stopped; `make serve DATA={data}` starts it again with these audits in it,")
    console.print(f"Swagger UI is then at http://127.0.0.1:8000/docs; its key lies in {data}/api-key", soft_wrap=True)
    return 0


def _audit_both(client: Client, console: Console) -> dict[str, Json]:
    recipe = _recipe()
    faces = client.push_dataset(_archive(), name="LFW faces and non-faces")
    console.print(f"Data set: {faces['sample_count']} images, labels {', '.join(faces['labels'])}")
    audits, groups = {}, {}
    for strategy, stem in STRATEGIES.items():
        models = [_upload_model(client, recipe, f"{stem}_run{run}") for run in RUNS]
        members = [model["id"] for model in models]
        groups[strategy] = client.create_run_group(strategy, members)
    for strategy, group in groups.items():
        audits[strategy] = client.run_audit(faces["id"], run_group_id=group["id"], name=strategy)
        console.print(f"Run group {strategy}: three {recipe['architecture']}, audit {audits[strategy]['id']}")
    return {strategy: _results(client, audit, strategy, console) for strategy, audit in audits.items()}


def _upload_model(client: Client, recipe: Json, name: str) -> Json:
    return client.push_model(FACES / "weights" / f"{name}.safetensors", description=recipe | {"name": name})


def _recipe() -> Json:
    path = FACES / "recipe.json"
    if not path.exists():
        raise DemoFailed(f"{path} is missing; run the demo from a checkout of the repository.")
    recipe: Json = json.loads(path.read_text(encoding="utf-8"))
    return recipe


def _archive() -> bytes:
    sys.path.insert(0, str(FACES))
    from prepare import build_archive  # type: ignore[import-not-found]  # noqa: PLC0415 - a script of the examples

    content: bytes = build_archive()
    return content


def _results(client: Client, audit: Json, strategy: str, console: Console) -> Json:
    with Progress(console=console) as progress:
        task = progress.add_task(f"Audit {strategy}", total=audit["progress"]["total"])

        def show(event: Event) -> None:
            if event.name == "progress":
                progress.update(task, completed=event.data["done"])

        client.wait(audit["id"], show)
    return client.results(audit["id"])
