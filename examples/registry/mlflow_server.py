"""A real MLflow tracking server on a free port, and its own client in a process of its own."""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from cryptography.fernet import Fernet

from app.embedded.ports import free_port

ROOT = Path(__file__).parents[2]
WEIGHTS = ROOT / "examples" / "faces" / "weights"
PATIENCE_SECONDS = 240
OWN = ROOT / "build" / "mlflow" / "bin" / "mlflow"
"""As `make integration` and `make demo-registry` install it."""


def mlflow_program() -> str | None:
    return str(OWN) if OWN.exists() else shutil.which("mlflow")


class MlflowServer:
    """``url`` is its address."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.http = httpx.Client(base_url=f"{self.url}/api/2.0/mlflow", timeout=PATIENCE_SECONDS)
        self._process: subprocess.Popen[bytes] | None = None
        self._key = Fernet.generate_key().decode()

    def start(self) -> None:
        environment = {
            **os.environ,
            "MLFLOW_WEBHOOK_ALLOWED_SCHEMES": "http,https",
            "MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS": "true",
            "MLFLOW_WEBHOOK_CACHE_TTL": "1",
            "MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY": self._key,
            "MLFLOW_DISABLE_TELEMETRY": "true",
        }
        command = [str(mlflow_program()), "server", "--host", "127.0.0.1", "--port", str(self.port), "--workers", "1"]
        stores = ["--backend-store-uri", "sqlite:///m.db", "--artifacts-destination", "art"]
        with (self.folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                command + stores, cwd=self.folder, env=environment, stdout=log, stderr=log, start_new_session=True
            )
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self._answers():
            assert self._process.poll() is None, "MLflow ended"
            assert time.monotonic() < deadline, "MLflow did not start"
            time.sleep(0.2)

    def stop(self) -> None:
        if self._process is not None:
            os.killpg(self._process.pid, 15)
            self._process.wait(PATIENCE_SECONDS)
            self._process = None

    def register(self, name: str, layout: str, network: str = "cross_entropy_run1") -> str:
        """The new version's number."""
        python = Path(str(mlflow_program())).with_name("python")
        packages = next(path for path in sys.path if path.endswith("site-packages"))
        recipe = ROOT / "examples" / "faces" / "recipe.json"
        script = Path(__file__).with_name("register_version.py")
        arguments = [self.url, name, layout, WEIGHTS / f"{network}.safetensors", recipe, packages]
        told = subprocess.run(
            [python, script, *map(str, arguments)], capture_output=True, text=True, check=False, cwd=self.folder
        )
        assert told.returncode == 0, told.stderr
        found = re.search(r"^\d+$", told.stdout, re.MULTILINE)
        assert found, told.stdout
        return found[0]

    def tell(self, url: str, secret: str) -> str:
        """Makes a webhook of its own for all events that are followed; its id."""
        kinds = [("MODEL_VERSION", "CREATED"), ("MODEL_VERSION_TAG", "SET"), ("MODEL_VERSION_ALIAS", "CREATED")]
        body = {
            "name": "salience",
            "url": url,
            "secret": secret,
            "events": [{"entity": entity, "action": action} for entity, action in kinds],
        }
        answer = self.http.post("/webhooks", json=body)
        assert answer.is_success, answer.text
        return str(answer.json()["webhook"]["webhook_id"])

    def tags(self, name: str, version: str) -> dict[str, str]:
        answer = self.http.get("/model-versions/get", params={"name": name, "version": version})
        return {tag["key"]: tag["value"] for tag in answer.json()["model_version"].get("tags", ())}

    def run_of(self, name: str, version: str) -> dict[str, Any]:
        """``metrics`` of the run that a version came from, and ``files`` that an audit logged there."""
        told = self.http.get("/model-versions/get", params={"name": name, "version": version}).json()["model_version"]
        run_id = told["run_id"]
        metrics = self.http.get("/runs/get", params={"run_id": run_id}).json()["run"]["data"].get("metrics", ())
        files: list[str] = []
        for folder in self._listed(run_id, "salience"):
            files += self._listed(run_id, folder)
        return {"metrics": {one["key"]: one["value"] for one in metrics}, "files": files}

    def _listed(self, run_id: str, path: str) -> list[str]:
        told = self.http.get("/artifacts/list", params={"run_id": run_id, "path": path}).json()
        return [str(one["path"]) for one in told.get("files", ())]

    def aliased(self, name: str, alias: str) -> str | None:
        answer = self.http.get("/registered-models/alias", params={"name": name, "alias": alias})
        return str(answer.json()["model_version"]["version"]) if answer.is_success else None

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/health", timeout=2).is_success
        except httpx.TransportError:
            return False


@contextmanager
def mlflow_server(folder: Path) -> Iterator[MlflowServer]:
    server = MlflowServer(folder, free_port())
    server.start()
    try:
        yield server
    finally:
        server.stop()
        server.http.close()
