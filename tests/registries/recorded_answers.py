"""What an MLflow tracking server answers, as MLflow 3.17 did, of the versions that it is given."""

import io
import json
import re
from fnmatch import fnmatchcase
from typing import Any

import torch
from safetensors.torch import load_file

from tests.waiting import RECIPE, WEIGHTS

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


class RecordedAnswers:
    """``versions`` are by name and number."""

    def __init__(self) -> None:
        self.versions: dict[tuple[str, str], Json] = {}
        self.aliases: dict[tuple[str, str], str] = {}
        self.page = 1000
        """Of a search, so many at most."""
        self.status = "READY"

    def register(self, name: str, version: str = "1", run: str = RUN, *, described: bool = True, **tags: str) -> None:
        """A version whose module was pickled: the weights of one of the example's runs."""
        self.versions[name, version] = {"files": _files(run, described=described), "tags": tags, "created_ms": 1}

    def tags(self, name: str, version: str = "1") -> dict[str, str]:
        found: dict[str, str] = self.versions[name, version]["tags"]
        return found

    def answer(self, path: str, query: dict[str, str]) -> tuple[int, Json]:
        if path == f"{API}/runs/get":
            return 200, {"run": {"info": {"artifact_uri": f"mlflow-artifacts:/0/{query['run_id']}/artifacts"}}}
        if path == f"{API}/model-versions/search":
            return 200, self._page("model_versions", [self._version(*key) for key in self._newest_first(query)], query)
        if path == f"{API}/registered-models/search":
            return 200, self._page("registered_models", self._models(query), query)
        if path == f"{API}/registered-models/alias":
            version = self.aliases.get((query["name"], query["alias"]))
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
            tags = self.versions[key]["tags"]
            told = [key[0] if what == "name" else tags.get(what[6:-1], "") for what, _ in conditions]
            wanted = [pattern.replace("%", "*").replace("_", "?") for _, pattern in conditions]
            return all(map(fnmatchcase, told, wanted))

        found = [key for key in self.versions if fits(key)]
        return sorted(found, key=lambda key: -self.versions[key]["created_ms"])

    def _models(self, query: dict[str, str]) -> list[Json]:
        names = {name for name, _ in self._newest_first(query)}
        return [
            {
                "name": one,
                "aliases": [
                    {"alias": alias, "version": version}
                    for (name, alias), version in self.aliases.items()
                    if name == one
                ],
            }
            for one in sorted(names)
        ]

    def _page(self, field: str, found: list[Json], query: dict[str, str]) -> Json:
        """By a token that is the number of the next."""
        start, size = int(query.get("page_token", "0")), min(int(query["max_results"]), self.page)
        following = {"next_page_token": str(start + size)} if start + size < len(found) else {}
        return {field: found[start : start + size], **following}

    def _of_version(self, path: str, key: tuple[str, str]) -> tuple[int, Json]:
        if key not in self.versions:
            return 404, {"error_code": "RESOURCE_DOES_NOT_EXIST"}
        if path == f"{API}/model-versions/get":
            return 200, {"model_version": self._version(*key)}
        return 200, {"artifact_uri": f"mlflow-artifacts:/{ROOT}/{key[0]}.{key[1]}"}

    def _version(self, name: str, version: str) -> Json:
        told = self.versions[name, version]
        return {
            "name": name,
            "version": version,
            "creation_timestamp": told["created_ms"],
            "current_stage": "None",
            "description": "",
            "source": "models:/m-84da0675255b4fd98d5aa1e3cf6bc71b",
            "run_id": RUN_ID,
            "status": self.status,
            "tags": [{"key": key, "value": value} for key, value in told["tags"].items()],
        }

    def below(self, path: str) -> tuple[dict[str, bytes], str]:
        """A version's files, and the path within."""
        own, _, inner = path.removeprefix(f"{ROOT}/").partition("/")
        name, _, version = own.rpartition(".")
        return (self.versions[name, version]["files"] if version else {}), inner

    def _listed(self, path: str) -> list[Json]:
        files, inner = self.below(path)
        prefix = f"{inner}/" if inner else ""
        below = [name.removeprefix(prefix) for name in files if name.startswith(prefix)]
        folders = sorted({name.partition("/")[0] for name in below if "/" in name})
        plain = [
            {"path": name, "is_dir": False, "file_size": len(files[prefix + name])} for name in below if "/" not in name
        ]
        return [*plain, *({"path": name, "is_dir": True} for name in folders)]


def _files(run: str, *, described: bool) -> dict[str, bytes]:
    weights = io.BytesIO()
    torch.save(load_file(WEIGHTS / f"{run}.safetensors"), weights)
    files = {"MLmodel": MLMODEL, "data/model.pth": weights.getvalue(), "data/pickle_module_info.txt": b"pickle"}
    return files | ({"extra_files/salience.json": json.dumps(RECIPE).encode()} if described else {})
