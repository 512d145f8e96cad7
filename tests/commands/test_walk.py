"""Push, audit, watch, judge, compare: what a command prints is what the API tells."""

import json
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.commands.conftest import SAMPLES, Commands

Json = dict[str, Any]


def test_what_was_pushed_is_listed(cli: Commands, faces: Json, run1: Json, run2: Json) -> None:
    assert (faces["name"], faces["status"], faces["sample_count"]) == ("faces", "ready", 200)
    assert (run1["format"], run1["class_names"]) == ("safetensors", ["face", "non_face"])
    assert run1["preprocessing"] == run2["preprocessing"]
    assert run2["name"] == "human_guided_run1"
    ready = [model["id"] for model in cli.made("models", "list") if model["status"] == "ready"]
    assert sorted(ready) == sorted([run1["id"], run2["id"]])
    listed = cli("datasets", "list", "--limit", "1")
    assert (listed.status, listed.err) == (0, "")
    assert all(part in listed.out for part in (faces["id"], "faces", "ready", "200", "face, non_face"))


def test_results(cli: Commands, audit: Json) -> None:
    document = cli.made("audits", "results", "before")
    assert document["audit_id"] == audit["id"]
    shown = cli("audits", "results", audit["id"]).out
    totals = [row for row in document["summaries"] if (row["group_by"], row["group"]) == ("total", "macro")]
    assert len(totals) == 3
    for row in totals:
        [line] = [line for line in shown.splitlines() if f" {row['view']} " in line and row["measure"] in line]
        assert f"{row['mean']:.4f}" in line
        assert f"{row['ci95_low']:.4f} to {row['ci95_high']:.4f}" in line
    assert "accuracy" in shown


class TestVerdicts:
    """The exit status is the gate's; a warning does not count."""

    @pytest.fixture
    def mean(self, cli: Commands, audit: Json) -> float:
        rows = cli.made("audits", "results", audit["id"])["summaries"]
        wanted = {"measure": "entropy", "view": "spatial", "group_by": "total", "group": "macro"}
        return next(row["mean"] for row in rows if wanted.items() <= row.items())

    def test_each_has_its_status(self, cli: Commands, mean: float, protocol: str) -> None:
        conditions = {
            "passes": ("entropy.spatial.mean <= 1", "entropy.spatial.mean <= 0.01 (warn)"),
            "fails": ("entropy.spatial.mean <= 0.01", f"entropy.spatial.mean <= {mean:.9f} (ci)"),
            "leaves open": (f"entropy.spatial.mean <= {mean:.9f} (ci)",),
        }
        for status, (name, texts) in enumerate(conditions.items()):
            gate = cli.made("gates", "create", name, *(part for text in texts for part in ("--condition", text)))
            assert gate["conditions"] == list(texts)
            options = ("--dataset", "faces", "--model", "run 1", "--protocol", protocol, "--sample-limit", SAMPLES)
            done = cli("audits", "run", *options, "--gate", name, "--wait", *(["--json"] if status else []))
            assert done.status == status, done.err
            if status:
                verdict = ("passed", "failed", "inconclusive")[status]
                assert (done.json["status"], done.json["verdict"]) == ("succeeded", verdict)
            else:
                assert "Gate passes: passed" in done.out
                assert [f"{mean:.4f}" in line for line in done.out.splitlines() if "entropy" in line] == [True, True]
            assert f"{SAMPLES} of {SAMPLES} samples" in done.err
        failed = next(audit for audit in cli.made("audits", "list") if audit["verdict"] == "failed")
        watched = cli("audits", "watch", failed["id"], "--json")
        assert (watched.status, watched.json["id"]) == (1, failed["id"])

    def test_a_baseline(self, cli: Commands, audit: Json, run2: Json, protocol: str) -> None:
        condition = "noise_reaction.mean not worse than baseline by more than 2"
        cli.made("gates", "create", "as good", "--condition", condition)
        options = ("--dataset", "faces", "--model", run2["name"], "--protocol", protocol, "--sample-limit", SAMPLES)
        gated = cli.made(
            "audits", "run", *options, "--name", "after", "--gate", "as good", "--baseline", "before", "--wait"
        )
        assert gated["gate"]["baseline_audit_id"] == audit["id"]
        compared = cli.made("audits", "compare", "before", gated["id"])
        assert (compared["status"], compared["audit_ids"]) == ("succeeded", [audit["id"], gated["id"]])
        shown = cli("audits", "compare", audit["id"], "after").out
        rows = [row for row in compared["results"]["differences"] if row["group"] == "macro"]
        assert len(rows) == 3
        assert all(f"{row['difference']:.4f}" in shown for row in rows)
        assert f"before: {rows[0]['mean_first']:.4f}" in shown


class TestNoVerdict:
    """Whatever else goes wrong has another exit status than a verdict."""

    def test_leaving_and_cancelling(self, cli: Commands, faces: Json, run1: Json) -> None:
        options = ("--dataset", faces["id"], "--model", run1["id"], "--name", "long")
        running = cli.start("audits", "run", *options, "--wait")
        assert running.stderr is not None
        audit_id = running.stderr.readline().split()[1]
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=60)
        assert (running.returncode, out) == (130, "")
        assert f"Audit {audit_id} goes on" in err
        assert "Traceback" not in err
        watching = cli.start("audits", "watch", "long", "--json")
        assert watching.stderr is not None
        assert audit_id in watching.stderr.readline()
        assert cli.made("audits", "cancel", "long")["id"] == audit_id
        out, err = watching.communicate(timeout=60)
        assert watching.returncode == 3
        assert json.loads(out)["error"] | {"detail": ""} == {
            "code": "audit-cancelled",
            "detail": "",
            "id": audit_id,
            "status": "cancelled",
        }
        assert "somebody cancelled it" in err

    def test_misuse(self, cli: Commands) -> None:
        for arguments in (["audits", "run", "--wiat"], ["audit", "run"]):
            done = cli(*arguments)
            assert (done.status, done.out) == (3, "")
            assert "No such" in done.err
        assert "--run-group" in cli("audits", "run", "--dataset", "faces").err


def test_groups_of_runs(cli: Commands, faces: Json, run1: Json, run2: Json, tmp_path: Path) -> None:
    group = cli.made("run-groups", "create", "both", "--model", "run 1", "--model", run2["id"])
    assert group["model_ids"] == [run1["id"], run2["id"]]
    assert [found["id"] for found in cli.made("run-groups", "list")] == [group["id"]]
    chosen = tmp_path / "stability.json"
    chosen.write_text('{"micro_batch": 4, "measures": {"entropy": {}, "stability": {}}}')
    options = ("--dataset", faces["id"], "--run-group", "both", "--protocol", str(chosen), "--sample-limit", "4")
    audit = cli.made("audits", "run", *options, "--wait")
    shown = cli("audits", "results", audit["id"]).out
    assert any("stability" in line and "across runs" in line for line in shown.splitlines())
