"""Push, audit, watch, judge, compare: what a command prints is what the API tells."""

import json
import signal
from pathlib import Path
from typing import Any

import pytest

from salience_audit import Client
from salience_audit.nouns import Collection
from tests.commands.conftest import PROTOCOL, SAMPLES, Checkout, Commands
from tests.commands.guides import WALK, commands_of
from tests.waiting import PATIENCE_SECONDS, RECIPE, WEIGHTS

Json = dict[str, Any]

NAMED: tuple[tuple[Collection, str], ...] = (
    ("datasets", "faces"),
    ("models", "plain"),
    ("models", "guided"),
    ("gates", "release"),
    ("audits", "before"),
    ("audits", "after"),
)


def test_a_model_is_described_by_options_alone(cli: Commands, client: Client) -> None:
    described = {
        "--name": "by options",
        "--architecture": "shufflenet_v2_x0_5",
        "--class-names": "face,non_face",
        "--input-size": "224",
        "--mean": "0.485,0.456,0.406",
        "--std": "0.229,0.224,0.225",
    }
    options = [part for option in described.items() for part in option]
    model = cli.made("models", "push", str(WEIGHTS / "cross_entropy_run1.safetensors"), *options)
    assert (model["name"], model["status"]) == ("by options", "ready")
    assert {name: model[name] for name in RECIPE} | {"preprocessing": {}} == RECIPE | {"preprocessing": {}}
    assert model["preprocessing"].items() >= RECIPE["preprocessing"].items()
    assert cli.listed("models", "list") == list(client.models())
    assert [found["id"] for found in cli.listed("models", "list", "--limit", "1")] == [model["id"]]


def test_lists(cli: Commands, client: Client) -> None:
    faces, *_ = client.datasets()
    listed = cli("datasets", "list")
    assert (listed.status, listed.err) == (0, "")
    assert all(part in listed.out for part in (faces["id"], "faces", "ready", "200", "face, non_face"))


def test_results(cli: Commands, client: Client) -> None:
    document = cli.made("audits", "results", "before")
    assert document == client.results(client.find("audits", "before"))
    shown = cli("audits", "results", document["audit_id"]).out
    totals = macro_totals(document["summaries"])
    assert len(totals) == 3
    for row in totals:
        [line] = [line for line in shown.splitlines() if f" {row['view']} " in line and row["measure"] in line]
        assert f"{row['mean']:.4f}" in line
        assert f"{row['ci95_low']:.4f} to {row['ci95_high']:.4f}" in line
    assert "accuracy" in shown


def test_a_comparison(cli: Commands, client: Client, walked: str) -> None:
    before, after = (client.audit(client.find("audits", name)) for name in ("before", "after"))
    assert (after["verdict"], after["gate"]["baseline_audit_id"]) == ("passed", before["id"])
    compared = cli.made("audits", "compare", "before", after["id"], "--by", "model", "--name", "again")
    assert (compared["audit_ids"], compared["name"], compared["by"]) == ([before["id"], after["id"]], "again", "model")
    rows = macro_totals(compared["results"]["differences"])
    assert len(rows) == 3
    assert all(f"{row['difference']:.4f}" in walked for row in rows)
    assert f"before: {rows[0]['mean_first']:.4f}" in walked


def macro_totals(rows: list[Json]) -> list[Json]:
    return [row for row in rows if (row["group_by"], row["group"]) == ("total", "macro")]


class TestVerdicts:
    """The exit status is the gate's; a warning does not count."""

    def test_each_has_its_status(self, cli: Commands, client: Client, tmp_path: Path) -> None:
        rows = macro_totals(client.results(client.find("audits", "before"))["summaries"])
        mean = next(row["mean"] for row in rows if row["view"] == "spatial")
        conditions = {
            "passes": ("entropy.spatial.mean <= 1", "entropy.spatial.mean <= 0.01 (warn)"),
            "fails": ("entropy.spatial.mean <= 0.01", f"entropy.spatial.mean <= {mean:.9f} (ci)"),
            "leaves open": (f"entropy.spatial.mean <= {mean:.9f} (ci)",),
        }
        protocol = tmp_path / "small.json"
        protocol.write_text(json.dumps(PROTOCOL))
        options = ("--dataset", "faces", "--model", "plain", "--protocol", str(protocol), "--sample-limit", SAMPLES)
        for status, (name, texts) in enumerate(conditions.items()):
            gate = cli.made("gates", "create", name, *(part for text in texts for part in ("--condition", text)))
            assert gate["conditions"] == list(texts)
            done = cli("audits", "run", *options, "--gate", name, "--wait", *(["--json"] if status else []))
            assert done.status == status, done.err
            if status:
                verdict = ("passed", "failed", "inconclusive")[status]
                assert (done.json["status"], done.json["verdict"]) == ("succeeded", verdict)
            else:
                assert "Gate passes: passed" in done.out
                assert [f"{mean:.4f}" in line for line in done.out.splitlines() if "entropy" in line] == [True, True]
            assert f"{SAMPLES} of {SAMPLES} samples" in done.err
        failed = next(audit for audit in client.audits() if audit["verdict"] == "failed")
        watched = cli("audits", "watch", failed["id"], "--json")
        assert (watched.status, watched.json["id"]) == (1, failed["id"])


class TestNoVerdict:
    """Whatever else goes wrong has another exit status than a verdict."""

    def test_leaving_and_cancelling(self, cli: Commands, client: Client) -> None:
        options = ("--dataset", client.find("datasets", "faces"), "--model", "plain", "--name", "long")
        running = cli.start("audits", "run", *options, "--wait")
        assert running.stderr is not None
        audit_id = running.stderr.readline().split()[1]
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=240)
        assert (running.returncode, out) == (130, "")
        assert f"Audit {audit_id} goes on" in err
        assert "Traceback" not in err
        watching = cli.start("audits", "watch", "long", "--json")
        assert watching.stderr is not None
        assert audit_id in watching.stderr.readline()
        assert cli.made("audits", "cancel", "long")["id"] == audit_id
        out, err = watching.communicate(timeout=240)
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


@pytest.mark.parametrize("as_json", [[], ["--json"]], ids=["tables", "json"])
def test_whoever_stops_reading_changes_no_verdict(cli: Commands, client: Client, as_json: list[str]) -> None:
    assert client.audit(client.find("audits", "after"))["verdict"] == "passed"
    command = cli.start("audits", "watch", "after", *as_json)
    assert command.stdout is not None
    command.stdout.close()
    assert command.wait(PATIENCE_SECONDS) == 0
    assert command.stderr is not None
    assert "Traceback" not in command.stderr.read()
    command.stderr.close()


def test_groups_of_runs(cli: Commands, client: Client, tmp_path: Path) -> None:
    plain, guided = (client.find("models", name) for name in ("plain", "guided"))
    group = cli.made("run-groups", "create", "both", "--model", "plain", "--model", guided)
    assert group["model_ids"] == [plain, guided]
    assert cli.listed("run-groups", "list") == list(client.run_groups()) == [group]
    chosen = tmp_path / "stability.json"
    chosen.write_text('{"micro_batch": 4, "measures": {"entropy": {}, "stability": {}}}')
    options = ("--dataset", "faces", "--run-group", "both", "--protocol", str(chosen), "--sample-limit", "4")
    audit = cli.made("audits", "run", *options, "--wait")
    shown = cli("audits", "results", audit["id"]).out
    assert any("stability" in line and "pairs of runs" in line for line in shown.splitlines())


def test_the_walk_passes_again(checkout: Checkout, walked: str, client: Client) -> None:
    """Every name gets its next version, and means that one."""
    before = {name: client.find(kind, name) for kind, name in NAMED}
    again = checkout.run("bash", "-e", text=commands_of(WALK))
    assert all("Gate release: passed" in printed for printed in (walked, again))
    for kind, name in NAMED:
        newest = client.find(kind, name)
        assert newest != before[name]
        if kind != "audits":
            made, old = (client.resource(kind, one)["version"] for one in (newest, before[name]))
            assert int(made) == int(old) + 1
