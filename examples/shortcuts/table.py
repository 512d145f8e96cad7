"""Audits every subject of ``train_subjects.py`` and writes the table of findings.

python examples/shortcuts/table.py FOLDER URL API_KEY
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

import httpx

Json = dict[str, Any]

FACES = Path(__file__).parents[1] / "faces"
RECIPE: Json = json.loads((FACES / "recipe.json").read_text(encoding="utf-8"))
PATIENCE_SECONDS = 1800
SAMPLES = 60
# What the findings are made of; the preset `investigate` measures the paper's five as well.
PROTOCOL: Json = {
    "preset": "investigate",
    "measures": {"entropy": {}, "equivariance": {"cells": [1]}, "sufficiency": {"shares": [0.02, 0.05, 0.1, 0.2, 0.5]}},
}


def uploaded(client: httpx.Client, kind: str, body: Json, content: bytes) -> Json:
    """A model or a data set, ready."""
    made = client.post(f"/v1/{kind}", json=body).raise_for_status().json()
    client.put(f"/v1/{kind}/{made['id']}/content", content=content).raise_for_status()
    return ended(client, f"/v1/{kind}/{made['id']}", {"ready", "rejected"})


def ended(client: httpx.Client, path: str, ends: set[str]) -> Json:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        document: Json = client.get(path).raise_for_status().json()
        if document["status"] in ends:
            return document
        time.sleep(1)
    raise TimeoutError(path)


def audited(client: httpx.Client, folder: Path) -> Json:
    """The results of one subject."""
    facts: Json = json.loads((folder / "subject.json").read_text(encoding="utf-8"))
    dataset = uploaded(client, "datasets", {"name": folder.name}, (folder / "images.zip").read_bytes())
    body = RECIPE | {"name": folder.name, "architecture": facts["architecture"]}
    model = uploaded(client, "models", body, (folder / "weights.safetensors").read_bytes())
    request = {"dataset_id": dataset["id"], "model_ids": [model["id"]], "protocol": PROTOCOL, "sample_limit": SAMPLES}
    audit = client.post("/v1/audits", json=request).raise_for_status().json()
    ended(client, f"/v1/audits/{audit['id']}", {"succeeded", "failed", "cancelled"})
    results: Json = client.get(f"/v1/audits/{audit['id']}/results").raise_for_status().json()
    (folder / "results.json").write_text(json.dumps(results), encoding="utf-8")
    return results


def line(facts: Json, name: str, results: Json) -> str:
    """A row of the table in docs/measures.md."""
    total = next(
        row
        for row in results["summaries"]
        if (row["measure"], row["view"], row["group"]) == ("equivariance", "shifts", "macro")
    )
    codes = [one["code"] for one in results["findings"] if one["level"] == "exposes"]
    kind = "honest" if facts["honest"] else "cheats"
    accuracy = next(row["accuracy"] for row in results["performance"] if row["condition"] == "clean")
    without = facts.get("accuracy_without_mark")
    numbers = [accuracy, without, total["skill"], total["centre_slope"], results["sufficiency"][0]["area_90"]]
    cells = ["-" if one is None else f"{one:.2f}" for one in numbers]
    return f"| {name} | {kind} | {' | '.join(cells)} | {', '.join(f'`{code}`' for code in codes) or '-'} |"


def main() -> None:
    folder, url, key = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    print("| subject | | accuracy | without its mark | skill | slope | area_90 | findings that expose |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=60) as client:
        for place in sorted(one.parent for one in folder.glob("*/subject.json")):
            facts = json.loads((place / "subject.json").read_text(encoding="utf-8"))
            found = place / "results.json"
            results = json.loads(found.read_text(encoding="utf-8")) if found.exists() else audited(client, place)
            print(line(facts, place.name, results), flush=True)


if __name__ == "__main__":
    main()
