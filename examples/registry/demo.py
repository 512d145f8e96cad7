"""A real MLflow and the service: two versions of one model are registered, and get their verdicts.

make demo-registry
"""

import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import httpx
from mlflow_server import MlflowServer, mlflow_program, mlflow_server

from app.demo.service import running_service
from salience_audit import Client

ROOT = Path(__file__).parents[2]
NAME = "faces"
SECRET = "a secret of the demo's"
SETTINGS = {"ALLOWED_NETWORKS": "127.0.0.1/32"}
"""The demo's MLflow is on loopback, which nobody may call unless the operator says so."""
GATE = ["entropy.spatial.mean <= 0.9", "entropy.spatial.mean not worse than baseline by more than 0.05 (missing ok)"]
PROTOCOL = {"measures": {"entropy": {}, "noise_reaction": {"curve": [0.05]}}}
VERSIONS = {"cross_entropy_run1": "pickled", "human_guided_run1": "state_dict"}
PATIENCE_SECONDS = 300
COLUMN = 42
"""That what is told of begins behind."""

Json = dict[str, Any]


def main() -> int:
    """Exit status: 0 only where both versions have their verdict."""
    begun = time.monotonic()
    if mlflow_program() is None:
        sys.stderr.write("MLflow is missing: make demo-registry installs it in build/mlflow.\n")
        return 1
    with tempfile.TemporaryDirectory(prefix="demo-registry-") as folder:
        Path(folder).chmod(0o755)
        place = Path(folder) / "mlflow"
        place.mkdir()
        with mlflow_server(place) as mlflow, running_service(Path(folder) / "service", SETTINGS) as (url, key):
            headers = {"Authorization": f"Bearer {key}"}
            with httpx.Client(base_url=url, headers=headers, timeout=PATIENCE_SECONDS) as service:
                _say(f"MLflow runs at {mlflow.url}, the service at {url}.")
                status = _follow(service, mlflow, _set_up(service, mlflow, _dataset(url, key)))
                _say(f"\nIt took {time.monotonic() - begun:.0f} seconds, with the start of both servers.")
                return status


def _set_up(service: httpx.Client, mlflow: MlflowServer, dataset_id: str) -> str:
    """Connection, hook, gate, policy; the hook's id."""
    connection = _made(service, "connections", name="MLflow", kind="mlflow", url=mlflow.url)
    tried = service.post(f"/v1/connections/{connection['id']}/test").json()
    _say("The connection is tried:")
    _tell((check["what"], "works" if check["works"] else f"does not: {check['detail']}") for check in tried["checks"])
    _say("Every version has to meet the gate:")
    for condition in GATE:
        _say(f"  {condition}")
    hook = _made(service, "hooks", name="versions", kind="mlflow", connection_id=connection["id"], secret=SECRET)
    mlflow.tell(f"{str(service.base_url).rstrip('/')}/v1/hooks/{hook['id']}/deliveries", SECRET)
    _made(
        service,
        "policies",
        name="every version",
        connection_id=connection["id"],
        match={"model": NAME},
        dataset_id=dataset_id,
        sample_limit=40,
        protocol=PROTOCOL,
        gate=_made(service, "gates", name="release", conditions=GATE)["id"],
        baseline="alias:champion",
        write_back={"alias_on_pass": "champion"},
    )
    return str(hook["id"])


def _follow(service: httpx.Client, mlflow: MlflowServer, hook_id: str) -> int:
    for network, layout in VERSIONS.items():
        begun = time.monotonic()
        version = mlflow.register(NAME, layout, network)
        _say(
            f"\n{NAME} {version} ({network}, logged as {layout}) is registered by MLflow's own client, and that is all."
        )
        tags = _judged(mlflow, version)
        if tags is None:
            _tell_log(service, hook_id)
            return 1
        _say(f"Its event came, it was fetched, audited and judged; {time.monotonic() - begun:.0f} s later MLflow has:")
        _tell(sorted(tags.items()))
        has_alias = mlflow.aliased(NAME, "champion")
        champion = "no version yet" if has_alias is None else f"version {has_alias}"
        _tell([("alias champion", champion), ("in its run", _logged(mlflow, version))])
    _tell_log(service, hook_id)
    _tell_history(service)
    return 0


def _tell_log(service: httpx.Client, hook_id: str) -> None:
    """Equal ones together: MLflow tells of every tag that the service sets."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        items = service.get(f"/v1/hooks/{hook_id}/deliveries", params={"limit": 100}).json()["items"]
        if all(one["outcome"] != "pending" for one in items) or time.monotonic() > deadline:
            break
        time.sleep(0.5)
    told = Counter((one["event"], one["outcome"], one["reason"] or "") for one in reversed(items))
    _say("\nWhat MLflow told, and what became of it:")
    _tell((f"{count} x {event}", f"{outcome:8} {reason}".rstrip()) for (event, outcome, reason), count in told.items())


def _tell_history(service: httpx.Client) -> None:
    history = service.get("/v1/model-history", params={"name": NAME}).json()
    _say(f"\nThe history of {NAME}:")
    for one in history["versions"]:
        for audit in one["audits"]:
            numbers = ", ".join(f"{name} {number:.3g}" for name, number in audit["headline"].items())
            _tell([(f"version {one['version']}", f"{audit['verdict']:8} {numbers}")])
    for one in history["regressions"]:
        worse = f"{one['number']} is worse, {one['before']:.3g} before and {one['after']:.3g} now"
        _tell([(f"version {one['version']}", worse)])


def _judged(mlflow: MlflowServer, version: str) -> dict[str, str] | None:
    """Once all tags are there and the alias was moved, where it is; the alias comes last."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        tags = mlflow.tags(NAME, version)
        passed = tags.get("salience.verdict") == "passed"
        if "salience.verdict" in tags and (not passed or mlflow.aliased(NAME, "champion") == version):
            return tags
        time.sleep(0.5)
    return None


def _logged(mlflow: MlflowServer, version: str) -> str:
    """Metrics and the report, which come behind the verdict."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (run := mlflow.run_of(NAME, version))["files"] and time.monotonic() < deadline:
        time.sleep(0.5)
    return ", ".join([*run["metrics"], *run["files"]]) or "nothing"


def _dataset(url: str, key: str | None) -> str:
    sys.path.insert(0, str(ROOT / "examples" / "faces"))
    from prepare import build_archive  # noqa: PLC0415 - a script of another example

    with Client(url, key) as client:
        return str(client.push_dataset(build_archive(), name="faces")["id"])


def _made(service: httpx.Client, noun: str, **fields: Any) -> Json:
    answer = service.post(f"/v1/{noun}", json=fields)
    if answer.status_code != 201:
        raise SystemExit(answer.text)
    made: Json = answer.json()
    return made


def _tell(pairs: Iterable[tuple[str, str]]) -> None:
    """A line each."""
    for name, value in pairs:
        _say(f"  {name:{COLUMN}}  {value}")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
