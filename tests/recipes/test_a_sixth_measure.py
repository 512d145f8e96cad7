"""A measure that nobody but its own page knows: two new files and a line in each registry, as the recipe says.

The real service runs in a copy of the tree; the measure comes out of the API, the report, a gate, the CLI and the
exports.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from salience_audit import Client
from tests.waiting import RECIPE, WEIGHTS

Json = dict[str, Any]

SAMPLES = 8
PROTOCOL = {"micro_batch": 4, "measures": {"inversion": {}, "entropy": {}}}
CONDITIONS = ("inversion.mean >= -1", "inversion.inverted[worst label].mean > 1", "performance.inverted.accuracy >= 0")


@pytest.fixture(scope="module")
def audit(client: Client, faces: Json) -> Json:
    """Of one network, judged by a gate that asks for the new number."""
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
