"""MLflow's tracking server, by its REST API: versions, artifacts, tags and aliases.

Not by MLflow's own client: it opens sockets of its own, and the address is a tenant's. Checked with 3.17.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from app.egress.answers import Answer, Download, malformed
from app.egress.client import Call, EgressClient
from app.errors import EgressFailure

API = "/api/2.0/mlflow"
ARTIFACTS = "/api/2.0/mlflow-artifacts/artifacts"
READY = "READY"
MAX_RESOLUTIONS = 3
"""``models:/NAME/1`` leads to a run, or to a logged model, and that to its folder."""

Json = dict[str, Any]


@dataclass(frozen=True)
class Version:
    """A registered model's version, as the server tells it."""

    name: str
    version: str
    status: str
    description: str
    created_ms: int
    tags: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, told: Any) -> "Version":
        """Raises EgressFailure."""
        try:
            return cls(
                name=str(told["name"]),
                version=str(told["version"]),
                status=str(told.get("status", READY)),
                description=str(told.get("description") or ""),
                created_ms=int(told.get("creation_timestamp", 0)),
                tags={str(tag["key"]): str(tag.get("value", "")) for tag in told.get("tags", ())},
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise malformed("it tells no model version") from error


class MlflowRegistry:
    """One server. Every method raises EgressFailure; its code says whether waiting may help."""

    def __init__(self, client: EgressClient, url: str, credentials: Mapping[str, str]) -> None:
        self._client = client
        self._url = url.rstrip("/")
        self._credentials = credentials

    def version(self, name: str, version: str) -> Version:
        found = self._get(f"{API}/model-versions/get", name=name, version=version)
        return Version.of(found.get("model_version"))

    def aliased(self, name: str, alias: str) -> Version:
        found = self._get(f"{API}/registered-models/alias", name=name, alias=alias)
        return Version.of(found.get("model_version"))

    def newest(self, count: int) -> list[Version]:
        """Of all models, the newest first."""
        order = "creation_timestamp DESC"
        found = self._get(f"{API}/model-versions/search", max_results=str(count), order_by=order)
        return [Version.of(told) for told in found.get("model_versions", ())]

    def folder(self, version: Version) -> str:
        """Where its files are, for ``files`` and ``fetch``."""
        asked = {"name": version.name, "version": version.version}
        uri = str(self._get(f"{API}/model-versions/get-download-uri", **asked).get("artifact_uri", ""))
        for _ in range(MAX_RESOLUTIONS):
            scheme, _, rest = uri.partition(":")
            if scheme == "mlflow-artifacts":
                return _safe(urlsplit(uri).path.strip("/"))
            if scheme == "runs":
                run_id, _, path = rest.lstrip("/").partition("/")
                info = self._get(f"{API}/runs/get", run_id=run_id).get("run", {}).get("info", {})
                uri = f"{info.get('artifact_uri', '')}/{path}"
            elif scheme == "models" and "/" not in rest.strip("/"):
                model = self._get(f"{API}/logged-models/{quote(rest.strip('/'), safe='')}").get("model", {})
                uri = str(model.get("info", {}).get("artifact_uri", ""))
            else:
                break
        detail = (
            "The tracking server does not hand out the version's files itself. Start it with --artifacts-destination, "
            "and register versions whose files were logged since."
        )
        raise EgressFailure("artifacts-not-served", detail)

    def files(self, folder: str) -> dict[str, int]:
        """Names within it and their sizes; folders are left out."""
        found = self._get(ARTIFACTS, path=folder).get("files", [])
        try:
            return {str(one["path"]): int(one.get("file_size", 0)) for one in found if not one.get("is_dir")}
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise malformed("it lists no files") from error

    @contextmanager
    def fetch(self, folder: str, name: str, most_bytes: int) -> Iterator[Download]:
        """A file's bytes."""
        path = quote(f"{folder}/{_safe(name)}")
        call = Call("GET", f"{self._url}{ARTIFACTS}/{path}", credentials=self._credentials)
        with self._client.fetch(call, most_bytes) as download:
            _check(download.status)
            yield download

    def set_tag(self, name: str, version: str, key: str, value: str) -> None:
        self._post(f"{API}/model-versions/set-tag", name=name, version=version, key=key, value=value)

    def set_alias(self, name: str, version: str, alias: str) -> None:
        """From the version that has it."""
        self._post(f"{API}/registered-models/alias", name=name, version=version, alias=alias)

    def check(self, place: str, /, **query: str) -> None:
        """Whether it answers there at all."""
        self._get(place, **query)

    def _get(self, place: str, /, **query: str) -> Json:
        url = f"{self._url}{place}?{urlencode(query)}" if query else f"{self._url}{place}"
        return _document(self._client.send(Call("GET", url, credentials=self._credentials)))

    def _post(self, path: str, **body: str) -> Json:
        content = json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        call = Call("POST", f"{self._url}{path}", headers, self._credentials, content)
        return _document(self._client.send(call))


def _document(answer: Answer) -> Json:
    _check(answer.status)
    found = answer.json()
    if not isinstance(found, dict):
        raise malformed("it is no object")
    return found


def _check(status: int) -> None:
    if 200 <= status < 300:
        return
    if status in {401, 403}:
        raise EgressFailure("registry-refuses", f"The registry refuses the connection's credentials (HTTP {status}).")
    if status in {400, 404}:
        detail = f"The registry does not know it, or is no MLflow tracking server (HTTP {status})."
        raise EgressFailure("registry-not-found", detail)
    passing = status == 429 or status >= 500
    raise EgressFailure("registry-failed", f"The registry answered HTTP {status}.", passing=passing)


def _safe(path: str) -> str:
    if not path or any(part in {"", ".", ".."} for part in path.split("/")):
        raise malformed("it names a path that leads out")
    return path
