"""A measure that nobody but its own page knows: two new files and a line in each registry, in a copy of the tree.

The real service is started in the copy; the measure comes out of the API, the report, a gate, the CLI and the exports.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from prepare import build_archive

from salience_audit import Client
from tests.waiting import PATIENCE_SECONDS, RECIPE, WEIGHTS, until

Json = dict[str, Any]

ROOT = Path(__file__).parents[2]
NEW_FILES = {
    "inversion_page.py": "app/domain/measures/inversion.py",
    "inversion_view.py": "worker/views/inversion.py",
}
LINES = (
    ("app/domain/measures/__init__.py", "\n    )\n}\n", "\n        INVERSION,\n    )\n}\n"),
    ("worker/measures/__init__.py", "\n}\n", '\n    "inversion": similar_at_input("inverted"),\n}\n'),
    ("worker/views/__init__.py", "\n}\n", '\n    "inversion": inverted_view,\n}\n'),
)
IMPORTS = {
    "app/domain/measures/__init__.py": "from app.domain.measures.inversion import INVERSION\n",
    "worker/measures/__init__.py": "from worker.measures.similarity import similar_at_input\n",
    "worker/views/__init__.py": "from worker.views.inversion import inverted_view\n",
}
SAMPLES = 24
PROTOCOL = {"micro_batch": 8, "measures": {"inversion": {}, "entropy": {}}}
CONDITIONS = ("inversion.mean >= -1", "inversion.inverted[worst label].mean > 1", "performance.inverted.accuracy >= 0")


@pytest.fixture(scope="module")
def tree(open_folder: Path) -> Path:
    """The copy, with a sixth measure in it."""
    copy = open_folder / "tree"
    for folder in ("app", "worker", "alembic"):
        shutil.copytree(ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for source, place in NEW_FILES.items():
        shutil.copy(Path(__file__).parent / "sixth" / source, copy / place)
    for place, before, after in LINES:
        text = (copy / place).read_text()
        first_import = text.index("\nfrom ") + 1
        added = text[:first_import] + IMPORTS[place] + text[first_import:]
        (copy / place).write_text(added.replace(before, after, 1))
    return copy


@pytest.fixture(scope="module")
def environment(tree: Path) -> dict[str, str]:
    """In which Python takes our modules from the copy."""
    kept = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "BROKER_URL"}}
    return kept | {"PYTHONPATH": str(tree)}


@pytest.fixture(scope="module")
def client(tree: Path, environment: dict[str, str]) -> Iterator[Client]:
    data = tree / "data"
    command = [sys.executable, "-m", "app.cli", "serve", "--port", "0", "--data", str(data)]
    process = subprocess.Popen(command, env=environment, cwd=tree, stdout=subprocess.DEVNULL)
    try:
        until(lambda: (data / "server.json").exists() or process.poll() is not None)
        found = json.loads((data / "server.json").read_text())
        with Client(found["url"], found["api_key"]) as client:
            yield client
    finally:
        process.terminate()
        process.wait(PATIENCE_SECONDS)


@pytest.fixture(scope="module")
def audit(client: Client) -> Json:
    """Of one network, judged by a gate that asks for the new number."""
    faces = client.push_dataset(build_archive(), name="faces")
    weights = WEIGHTS / "cross_entropy_run1.safetensors"
    model = client.push_model(weights, description=RECIPE | {"name": "run 1"})
    gate = client.create_gate("inversion", CONDITIONS)
    started = client.run_audit(
        faces["id"], model_ids=[model["id"]], protocol=PROTOCOL, sample_limit=SAMPLES, gate_id=gate["id"]
    )
    return client.wait(started["id"])


def test_the_api_offers_it(client: Client) -> None:
    offered = client.protocols()
    assert "inversion" in offered["measures"]
    assert "inverted" not in offered["views"], "it is computed only where it is named"
    assert "inversion" not in offered["presets"]["default"]["measures"]
    schemas = client._connection.get("/openapi.json")["components"]["schemas"]
    assert schemas["MeasureName"]["enum"][-1] == "inversion"
    assert "inversion" in schemas["MeasureSettings"]["properties"]


def test_results_and_exports_have_its_scores(client: Client, audit: Json) -> None:
    results = client.results(audit["id"])
    assert results["protocol"]["measures"] == {"entropy": {"headline": "spatial"}, "inversion": {}}
    [total] = [
        row
        for row in results["summaries"]
        if (row["measure"], row["group_by"], row["group"]) == ("inversion", "total", "micro")
    ]
    assert [row["condition"] for row in results["performance"]] == ["clean", "inverted"]
    scores = client.scores(audit["id"], measure="inversion")
    assert len(scores) == SAMPLES
    assert total["mean"] == pytest.approx(np.nanmean(scores["score"].astype(float)))
    again = _mean_from_the_maps(client, audit, [str(name) for name in scores["sample"]])
    assert total["mean"] == pytest.approx(again, abs=0.02)


def _mean_from_the_maps(client: Client, audit: Json, names: list[str]) -> float:
    """By scikit-image, on the maps that the API gives, resized by Pillow."""
    from PIL import Image
    from skimage.metrics import structural_similarity

    page = client._connection.get(f"/v1/audits/{audit['id']}/samples", measure="inversion", limit=len(names))
    found = []
    for row in page["items"]:
        maps = [client.salience_map(audit["id"], row["sample_id"], view=view) for view in ("clean", "inverted")]
        if row["score"] is None:
            continue
        sides = [
            np.asarray(Image.fromarray((one * 255).astype(np.uint8)).resize((224, 224), Image.Resampling.BICUBIC))
            for one in maps
        ]
        similarity = structural_similarity(*sides, data_range=255)
        assert row["score"] == pytest.approx(similarity, abs=0.005)
        found.append(similarity)
    return float(np.mean(found))


def test_a_gate_judges_it(client: Client, audit: Json) -> None:
    verdict = client.verdict(audit["id"])
    assert [row["outcome"] for row in verdict["conditions"]] == ["passed", "failed", "passed"]
    assert verdict["conditions"][1]["subject"].startswith("label ")


def test_report_card_and_metrics_show_it(client: Client, audit: Json) -> None:
    page = client.report(audit["id"]).decode()
    for shown in (
        "Inversion",
        "Does the map survive a negative of the image?",
        "higher = cares for shapes",
        "inverted",
    ):
        assert shown in page
    assert "distribution-inversion-inverted" in page
    metrics = client._connection.get(f"/v1/audits/{audit['id']}/metrics")
    assert metrics["radar.inversion"] == pytest.approx(max(0, metrics["inversion.inverted.mean"]))
    assert client.plot(audit["id"], "distribution-inversion-inverted").startswith(b"<?xml")


def test_the_command_line_shows_it(client: Client, audit: Json, environment: dict[str, str], tree: Path) -> None:
    found = json.loads((tree / "data" / "server.json").read_text())
    known = {"SALIENCE_AUDIT_URL": found["url"], "SALIENCE_AUDIT_API_KEY": found["api_key"] or ""}
    command = [sys.executable, "-m", "app.cli", "audits", "results", audit["id"]]
    told = subprocess.run(command, env=environment | known, cwd=tree, capture_output=True, text=True, check=True).stdout
    total = client.results(audit["id"])["summaries"]
    [row] = [one for one in total if (one["measure"], one["group"]) == ("inversion", "macro")]
    [line] = [line for line in told.splitlines() if "inversion" in line and "run 1" in line]
    assert f"{row['mean']:.4f}" in line
