"""An MLflow tracking server's answers, as MLflow 3.17 gave them, from a server on loopback that remembers tags."""

import io
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from fnmatch import fnmatchcase
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import torch
from safetensors.torch import load_file

from tests.waiting import RECIPE, WEIGHTS, until

API = "/api/2.0/mlflow"
ARTIFACTS = "/api/2.0/mlflow-artifacts/artifacts"
ROOT = "0/models/m-84da0675255b4fd98d5aa1e3cf6bc71b/artifacts"
MLMODEL = b"""artifact_path: mlflow-artifacts:/0/models/m-84da/artifacts
flavors:
  pytorch:
    code: null
    model_data: data
    pytorch_version: 2.15.0+cu132
mlflow_version: 3.17.2
"""
RUN_ID = "b80c4572c3af49558275aeaa63d6d52e"
RUN = "cross_entropy_run1"
DESCRIPTION = {name: RECIPE[name] for name in ("architecture", "class_names", "preprocessing")}

Json = dict[str, Any]


class RecordedMlflow(ThreadingHTTPServer):
    """``versions`` are by name and number; ``asked`` has every request's path and ``Authorization``."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.versions: dict[tuple[str, str], Json] = {}
        self.aliases: dict[tuple[str, str], str] = {}
        self.written: list[Json] = []
        self.metrics: dict[str, float] = {}
        self.logged: dict[str, bytes] = {}
        """Files, by their place."""
        self.asked: list[tuple[str, str | None]] = []
        self.page = 1000
        """Of a search, so many at most."""
        self.refuses_log = False
        """Metrics are answered 503."""
        self.status = "READY"
        self.down = False
        self.holds = threading.Event()
        """While it is set, weights stop in the middle, and ``halfway`` says so."""
        self.halfway = threading.Event()
        self.holds_answer_to: str | None = None
        """The tag that is set, but whose answer does not come; then ``halfway`` says so."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def register(self, name: str, version: str = "1", run: str = RUN, *, described: bool = True, **tags: str) -> None:
        """A version whose module was pickled: the weights of one of the example's runs."""
        self.versions[name, version] = {"files": _files(run, described=described), "tags": tags, "created_ms": 1}

    def tags(self, name: str, version: str = "1") -> dict[str, str]:
        found: dict[str, str] = self.versions[name, version]["tags"]
        return found


def _files(run: str, *, described: bool) -> dict[str, bytes]:
    weights = io.BytesIO()
    torch.save(load_file(WEIGHTS / f"{run}.safetensors"), weights)
    files = {"MLmodel": MLMODEL, "data/model.pth": weights.getvalue(), "data/pickle_module_info.txt": b"pickle"}
    return files | ({"extra_files/salience.json": json.dumps(RECIPE).encode()} if described else {})


class _Handler(BaseHTTPRequestHandler):
    server: RecordedMlflow

    def do_GET(self) -> None:
        asked = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(asked.query).items()}
        self.server.asked.append((self.path, self.headers.get("authorization")))
        if self.server.down:
            self._send(503, {"error_code": "TEMPORARILY_UNAVAILABLE"})
        elif asked.path.startswith(f"{ARTIFACTS}/"):
            self._send_file(unquote(asked.path).removeprefix(f"{ARTIFACTS}/"))
        else:
            self._send(*self._answer(asked.path, query))

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if self.server.down:
            self._send(503, {"error_code": "TEMPORARILY_UNAVAILABLE"})
            return
        if self.server.refuses_log and self.path == f"{API}/runs/log-batch":
            self._send(503, {"error_code": "TEMPORARILY_UNAVAILABLE"})
            return
        self.server.written.append(body)
        if self.path == f"{API}/model-versions/set-tag":
            self.server.tags(body["name"], body["version"])[body["key"]] = body["value"]
            if body["key"] == self.server.holds_answer_to:
                self.server.halfway.set()
                until(lambda: self.server.holds_answer_to is None)
        elif self.path == f"{API}/runs/log-batch":
            self.server.metrics |= {metric["key"]: metric["value"] for metric in body["metrics"]}
        else:
            self.server.aliases[body["name"], body["alias"]] = body["version"]
        with suppress(ConnectionError):
            self._send(200, {})

    def do_PUT(self) -> None:
        content = self.rfile.read(int(self.headers["content-length"]))
        self.server.logged[unquote(self.path).removeprefix(f"{ARTIFACTS}/")] = content
        self._send(200, {})

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""

    def _answer(self, path: str, query: dict[str, str]) -> tuple[int, Json]:
        if path == f"{API}/runs/get":
            return 200, {"run": {"info": {"artifact_uri": f"mlflow-artifacts:/0/{query['run_id']}/artifacts"}}}
        if path == f"{API}/model-versions/search":
            return 200, self._page("model_versions", [self._version(*key) for key in self._newest_first(query)], query)
        if path == f"{API}/registered-models/search":
            return 200, self._page("registered_models", self._models(query), query)
        if path == f"{API}/registered-models/alias":
            version = self.server.aliases.get((query["name"], query["alias"]))
            known = version is not None
            return (200, {"model_version": self._version(query["name"], version or "")}) if known else (400, {})
        if path == ARTIFACTS:
            return 200, {"files": self._listed(query.get("path", ""))}
        return self._of_version(path, (query.get("name", ""), query.get("version", "")))

    def _newest_first(self, query: dict[str, str]) -> list[tuple[str, str]]:
        """By what a filter asks of names and tags, with LIKE's two signs."""
        conditions = re.findall(r"(name|tags\.`[^`]+`) LIKE '([^']*)'", query.get("filter", ""))
        assert len(conditions) == query.get("filter", "").count("LIKE")

        def fits(key: tuple[str, str]) -> bool:
            tags = self.server.versions[key]["tags"]
            told = [key[0] if what == "name" else tags.get(what[6:-1], "") for what, _ in conditions]
            wanted = [pattern.replace("%", "*").replace("_", "?") for _, pattern in conditions]
            return all(map(fnmatchcase, told, wanted))

        found = [key for key in self.server.versions if fits(key)]
        return sorted(found, key=lambda key: -self.server.versions[key]["created_ms"])

    def _models(self, query: dict[str, str]) -> list[Json]:
        names = {name for name, _ in self._newest_first(query)}
        return [
            {
                "name": one,
                "aliases": [
                    {"alias": alias, "version": version}
                    for (name, alias), version in self.server.aliases.items()
                    if name == one
                ],
            }
            for one in sorted(names)
        ]

    def _page(self, field: str, found: list[Json], query: dict[str, str]) -> Json:
        """By a token that is the number of the next."""
        start, size = int(query.get("page_token", "0")), min(int(query["max_results"]), self.server.page)
        following = {"next_page_token": str(start + size)} if start + size < len(found) else {}
        return {field: found[start : start + size], **following}

    def _of_version(self, path: str, key: tuple[str, str]) -> tuple[int, Json]:
        if key not in self.server.versions:
            return 404, {"error_code": "RESOURCE_DOES_NOT_EXIST"}
        if path == f"{API}/model-versions/get":
            return 200, {"model_version": self._version(*key)}
        return 200, {"artifact_uri": f"mlflow-artifacts:/{ROOT}/{key[0]}.{key[1]}"}

    def _version(self, name: str, version: str) -> Json:
        told = self.server.versions[name, version]
        return {
            "name": name,
            "version": version,
            "creation_timestamp": told["created_ms"],
            "current_stage": "None",
            "description": "",
            "source": "models:/m-84da0675255b4fd98d5aa1e3cf6bc71b",
            "run_id": RUN_ID,
            "status": self.server.status,
            "tags": [{"key": key, "value": value} for key, value in told["tags"].items()],
        }

    def _below(self, path: str) -> tuple[dict[str, bytes], str]:
        """A version's files, and the path within."""
        own, _, inner = path.removeprefix(f"{ROOT}/").partition("/")
        name, _, version = own.rpartition(".")
        return (self.server.versions[name, version]["files"] if version else {}), inner

    def _listed(self, path: str) -> list[Json]:
        files, inner = self._below(path)
        prefix = f"{inner}/" if inner else ""
        below = [name.removeprefix(prefix) for name in files if name.startswith(prefix)]
        folders = sorted({name.partition("/")[0] for name in below if "/" in name})
        plain = [
            {"path": name, "is_dir": False, "file_size": len(files[prefix + name])} for name in below if "/" not in name
        ]
        return [*plain, *({"path": name, "is_dir": True} for name in folders)]

    def _send_file(self, path: str) -> None:
        files, inner = self._below(path)
        self.send_response(200)
        self.send_header("Content-Length", str(len(files[inner])))
        self.end_headers()
        half = len(files[inner]) // 2 if inner == "data/model.pth" and self.server.holds.is_set() else 0
        with suppress(ConnectionError):
            self.wfile.write(files[inner][:half])
            if half:
                self.server.halfway.set()
                until(lambda: not self.server.holds.is_set())
            self.wfile.write(files[inner][half:])

    def _send(self, status: int, body: Json) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@contextmanager
def recorded_mlflow() -> Iterator[RecordedMlflow]:
    server = RecordedMlflow()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
