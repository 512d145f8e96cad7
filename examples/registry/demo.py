"""A real MLflow and the service: two versions of one model are registered, and get their verdicts.

make demo-registry
"""

import json
import sys
import tempfile
import time
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

Json = dict[str, Any]


def main() -> int:
    """Exit status: 0 only where both versions have their verdict."""
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
                return _follow(service, mlflow, _set_up(service, mlflow, _dataset(url, key)))


def _set_up(service: httpx.Client, mlflow: MlflowServer, dataset_id: str) -> str:
    """Connection, hook, gate, policy; the hook's id."""
    connection = _made(service, "connections", name="MLflow", kind="mlflow", url=mlflow.url)
    tried = service.post(f"/v1/connections/{connection['id']}/test").json()
    _say("Connection: " + ", ".join(f"{check['what']}: {check['works']}" for check in tried["checks"]))
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
        version = mlflow.register(NAME, layout, network)
        _say(f"Registered {NAME} {version} ({network}, {layout}) with MLflow's own client.")
        tags = _judged(mlflow, version)
        if tags is None:
            _tell_log(service, hook_id)
            return 1
        for tag, value in sorted(tags.items()):
            _say(f"  {tag} = {value}")
        _say(f"  alias champion: version {mlflow.aliased(NAME, 'champion')}")
        _say(f"  logged into its run: {_logged(mlflow, version)}")
    _tell_log(service, hook_id)
    history = service.get("/v1/model-history", params={"name": NAME}).json()
    for one in history["versions"]:
        for audit in one["audits"]:
            _say(f"History: {NAME} {one['version']}: {audit['verdict']}, {json.dumps(audit['headline'])}")
    return 0


def _tell_log(service: httpx.Client, hook_id: str) -> None:
    for one in reversed(service.get(f"/v1/hooks/{hook_id}/deliveries").json()["items"]):
        _say(f"Delivery {one['event']}: {one['outcome']}{': ' + one['reason'] if one['reason'] else ''}")


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


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
