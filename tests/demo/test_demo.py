"""``salience-audit demo`` as it stands, with a service of its own, but with few images and no noise curve."""

import json
from pathlib import Path
from typing import Any

import pytest

from app.demo import first_chapter, runner
from app.demo.service import DemoFailed
from app.domain.protocol import ProtocolRequest
from tests.reports.reading import Report

MEASURES: dict[str, Any] = {
    "entropy": {},
    "noise_reaction": {"curve": []},
    "geometric_resilience": {},
    "degradation": {},
}
TELLING: dict[str, Any] = {"micro_batch": 4, "measures": {"entropy": {}, "equivariance": {"cells": [1]}}}
SMALL = runner.Extent(4, {"micro_batch": 4, "measures": MEASURES | {"stability": {}}}, 30, TELLING)


def test_it_ends_with_table_verdict_and_report(
    open_folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    data = open_folder / "demo"
    monkeypatch.setattr(runner, "RUNS", (1, 2))
    status = runner.run_demo(data, as_json=True, extent=SMALL)
    out, told = capsys.readouterr()
    assert status == 0, told
    document = json.loads(out)
    assert list(document["audits"]) == ["cross-entropy", "human-guided"]
    assert [row["condition"] for row in document["conditions"]] == list(runner.GATE)
    assert f"Gate release, human-guided judged against cross-entropy: {document['verdict']}" in told
    for row in document["conditions"]:
        assert f"  {row['outcome']:12} {row['explanation']}" in told
    for strategy, file in document["results"].items():
        results = json.loads(Path(file).read_text())
        assert results["audit_id"] == document["audits"][strategy]
        [stability] = [row for row in results["summaries"] if (row["measure"], row["group"]) == ("stability", "macro")]
        assert f"{stability['mean']:.3f}" in told
    assert document["report_url"] in told
    assert document["report_url"].startswith(f"/v1/comparisons/{document['comparison']}/report?")
    assert "<html" in Path(document["report"]).read_text()
    assert Path(document["report"]).as_uri() in told
    first = document["first_chapter"]
    assert first["verdicts"] == {"reads_the_face": "passed", "reads_the_tag": "failed"}
    assert first_chapter.PLANTED in told
    assert runner.GUIDANCE in told
    assert "reads_the_face: accuracy 1.000, gate no shortcut passed" in told
    assert "what is read has a fixed place or side" in told
    report = Report(Path(first["report"]).read_text())
    assert "Do not choose reads_the_tag" in report.text
    shown = [picture.alt for picture in report.pictures if picture.alt.startswith(("Where salience", "Mirrored"))]
    # Of both classes the mean map and six samples; then one face that is none any more when it moves.
    assert len(shown) == 2 * 7 + 3
    assert shown[0] == "Where salience lies: face: mean map over the mean image"
    assert shown[-3].startswith("Mirrored and moved: image: face (accuracy 1.00)")
    assert ": non_face (accuracy 0." in shown[-1]
    assert not (data / "server.json").exists(), "the service is stopped"


def test_the_first_chapter_is_what_the_preset_asks_of_single_networks() -> None:
    asked = ProtocolRequest.model_validate(first_chapter.PROTOCOL).resolve()
    preset = ProtocolRequest(preset="investigate").resolve()
    assert set(asked.measures.names) == {*preset.measures.names} - {"stability"}
    assert set(asked.conditions()) <= set(preset.conditions())
    assert "without_detail" in asked.conditions()


def test_a_failure_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def never(_: Path) -> None:
        raise DemoFailed("No [service] today.")

    monkeypatch.setattr(runner, "running_service", never)
    assert runner.run_demo(tmp_path) == 1
    assert "The demo failed: No [service] today." in capsys.readouterr().out
    assert runner.run_demo(tmp_path, as_json=True) == 1
    out, told = capsys.readouterr()
    assert json.loads(out) == {"error": {"code": "demo-failed", "detail": "No [service] today."}}
    assert "The demo failed" in told
