"""Audits run groups through the service's own client, under the preset of the paper, and keeps what it answers."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from examples.paper.faces import Scene, archive
from examples.paper.training import CROSS_ENTROPY, HUMAN_GUIDED, Extent, Run
from salience_audit import Client
from salience_audit.results import Results

PRESET = "explain2me-2023"
GROUPS = tuple((network, strategy) for strategy in (CROSS_ENTROPY, HUMAN_GUIDED) for network in ("DenseNet", "ResNet"))
"""In the order of the paper's tables, which is that of the comparison's sides."""
ABOUT = (
    "Faces of the LFW subset, real or with a region made anew by one of four programs. Not the paper's data. The "
    "salience that guides networks is the region, which we drew; it is no human annotation."
)

Group = tuple[str, str]


@dataclass(frozen=True)
class Audited:
    """What the service answered: results of each group's audit, and the comparison of the four."""

    results: dict[Group, Results]
    comparison: dict[str, Any]


def audit_groups(client: Client, scenes: dict[str, Scene], extent: Extent, folder: Path) -> Audited:
    """Uploads everything in ``folder``, audits each group, compares the groups; writes JSON and the report."""
    data = client.push_dataset(archive(scenes), name="Real and made faces", description={"description": ABOUT})
    audits = {group: _started(client, data["id"], group, extent, folder) for group in GROUPS}
    results = {}
    for group, audit_id in audits.items():
        client.wait(audit_id)
        results[group] = client.results(audit_id)
        _write(folder / f"results {' '.join(group)}.json", results[group])
    comparison = client.compare(list(audits.values()), name="The paper again")
    _write(folder / "comparison.json", comparison)
    (folder / "report.html").write_bytes(client.comparison_report(comparison["id"]))
    return Audited(results, comparison)


def runs(extent: Extent) -> list[Run]:
    """Every network that is trained."""
    return [Run(*group, number + 1) for group in GROUPS for number in range(extent.runs)]


def _started(client: Client, dataset_id: str, group: Group, extent: Extent, folder: Path) -> str:
    models = []
    for run in runs(extent):
        if (run.network, run.strategy) == group:
            described = extent.networks[run.network].description | {"name": run.name}
            models.append(client.push_model(folder / f"{run.name}.safetensors", description=described)["id"])
    made = client.create_run_group(" ".join(group), models)
    audit = client.run_audit(dataset_id, run_group_id=made["id"], name=" ".join(group), protocol=PRESET)
    audit_id: str = audit["id"]
    return audit_id


def _write(path: Path, document: Any) -> None:
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
