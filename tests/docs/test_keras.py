"""The page on Keras and PaddlePaddle, run with both: trained, exported, verified, audited with all measures."""

import json
from pathlib import Path

import httpx
import pytest

from tests.docs.pages import ROOT, RUN, blocks
from tests.docs.shell import make_checkout, run

PAGE = "docs/keras.md"
BUILD = ROOT / "build"
MEASURES = {"entropy", "noise_reaction", "geometric_resilience", "degradation", "stability"}

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(
        not all((BUILD / name / "bin" / "python").exists() for name in ("keras", "paddle")),
        reason="Keras or PaddlePaddle is missing (make integration installs them)",
    ),
]


def test_the_page(service: httpx.Client, open_folder: Path, tmp_path: Path) -> None:
    checkout = make_checkout(tmp_path, open_folder / "service", "docs: keras")
    (checkout / "build").symlink_to(BUILD)
    run([block for block in blocks(PAGE) if block.language in RUN and not block.text.startswith("make")], checkout)
    assert "<html" in (checkout / "keras.html").read_text(encoding="utf-8")
    served = json.loads((checkout / "data" / "serve" / "server.json").read_text(encoding="utf-8"))
    key = {"Authorization": f"Bearer {served['api_key']}"}
    models = {row["name"]: row for row in httpx.get(f"{service.base_url}/v1/models", headers=key).json()["items"]}
    assert [models[name]["fidelity"]["status"] for name in ("keras1", "paddle1")] == ["verified"] * 2
    assert {row["description"]["graph.salience"]["value"] for row in models.values()} == {"closed form"}
    audits = httpx.get(f"{service.base_url}/v1/audits", headers=key).json()["items"]
    assert {audit["name"] for audit in audits} == {"keras", "paddle"}
    for audit in audits:
        results = httpx.get(f"{service.base_url}/v1/audits/{audit['id']}/results", headers=key).json()
        assert {row["measure"] for row in results["summaries"]} == MEASURES
