"""MLflow's tracking server, by its REST API: versions, artifacts, tags and aliases.

Not by MLflow's own client: it opens sockets of its own, and the address is a tenant's. Checked with 3.17.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import chain
from urllib.parse import quote, urlencode, urlsplit

from app.egress.answers import Begun, Download, malformed
from app.egress.calls import Call
from app.egress.client import EgressClient
from app.errors import EgressFailure
from app.registries.base import Version, Wanted
from app.registries.mlflow_files import MlflowFiles
from app.registries.mlflow_versions import like, version_told
from app.registries.paging import pages
from app.registries.server_answers import Json, check_status, document, objects, safe_path
from app.registries.uri_forms import ModelUri

SERVER = "MLflow tracking server"
API = "/api/2.0/mlflow"
ARTIFACTS = "/api/2.0/mlflow-artifacts/artifacts"
PAGE, MAX_PAGES = 200, 1000
"""Versions of a page of a search, and pages."""
_TAG = re.compile(r"[A-Za-z0-9_.-]{1,250}")
MAX_RESOLUTIONS = 3
"""``models:/NAME/1`` leads to a run, or to a logged model, and that to its folder."""
NOT_SERVED = (
    "The tracking server does not hand out the version's files itself. Start it with --artifacts-destination, and "
    "register versions whose files were logged since."
)


class MlflowRegistry:
    """One server. Every method raises EgressFailure; its code says whether waiting may help."""

    def __init__(self, client: EgressClient, url: str, credentials: Mapping[str, str]) -> None:
        self._client = client
        self._url = url.rstrip("/")
        self._credentials = credentials

    def open(self, uri: str) -> MlflowFiles:
        named = ModelUri.read(uri)
        if named.version is not None:
            return MlflowFiles(self, self.version(named.name, named.version))
        return MlflowFiles(self, self.aliased(named.name, named.alias or ""))

    def version(self, name: str, version: str) -> Version:
        found = self._get(f"{API}/model-versions/get", name=name, version=version)
        return version_told(found.get("model_version"))

    def aliased(self, name: str, alias: str) -> Version:
        found = self._get(f"{API}/registered-models/alias", name=name, alias=alias)
        return version_told(found.get("model_version"))

    def made(self, wanted: Wanted) -> Iterator[Version]:
        """The newest first, page by page, until they are older."""
        for version in self._versions(like("name", wanted.model)):
            made_at = version.registered_at
            if made_at is not None and made_at <= wanted.after:
                return
            yield version

    def aliases(self, wanted: Wanted) -> Iterator[tuple[str, Version]]:
        for model in self._found("registered-models", "registered_models", filter=like("name", wanted.model)):
            for one in objects(model.get("aliases")):
                yield str(one.get("alias")), Version(str(model.get("name")), str(one.get("version")))

    def tagged(self, wanted: Wanted) -> Iterator[Version]:
        tags = [like(f"tags.`{key}`", value) for key, value in wanted.tags.items() if _TAG.fullmatch(key)]
        return self._versions(" AND ".join([like("name", wanted.model), *tags]))

    def _versions(self, which: str) -> Iterator[Version]:
        asked = {"filter": which, "order_by": "creation_timestamp DESC"}
        return map(version_told, self._found("model-versions", "model_versions", **asked))

    def _found(self, noun: str, field: str, **query: str) -> Iterator[Json]:
        """By a search. Raises EgressFailure, also where pages do not end."""

        def page(token: str | None) -> tuple[list[Json], str | None]:
            asked = query | {"max_results": str(PAGE)} | ({"page_token": token} if token else {})
            found = self._get(f"{API}/{noun}/search", **asked)
            return objects(found.get(field)), str(found.get("next_page_token") or "") or None

        return chain.from_iterable(pages(page, most=MAX_PAGES))

    def folder(self, version: Version) -> str:
        """Where its files are, for ``files`` and ``fetch``."""
        asked = {"name": version.name, "version": version.version}
        uri = str(self._get(f"{API}/model-versions/get-download-uri", **asked).get("artifact_uri", ""))
        for _ in range(MAX_RESOLUTIONS):
            scheme, _, rest = uri.partition(":")
            if scheme == "mlflow-artifacts":
                return safe_path(urlsplit(uri).path.strip("/"))
            if scheme == "runs":
                run_id, _, path = rest.lstrip("/").partition("/")
                uri = f"{self._artifacts_of(run_id)}/{path}"
            elif scheme == "models" and "/" not in rest.strip("/"):
                model = self._get(f"{API}/logged-models/{quote(rest.strip('/'), safe='')}").get("model", {})
                uri = str(model.get("info", {}).get("artifact_uri", ""))
            else:
                break
        raise EgressFailure("artifacts-not-served", NOT_SERVED)

    def files(self, folder: str) -> dict[str, Json]:
        """What is told of those within it, and of its folders, by their names."""
        found = self._get(ARTIFACTS, path=folder).get("files", [])
        try:
            return {str(one["path"]): dict(one) for one in found}
        except (KeyError, TypeError, ValueError) as error:
            raise malformed("it lists no files") from error

    @contextmanager
    def fetch(self, folder: str, name: str, most_bytes: int, begun: Begun | None = None) -> Iterator[Download]:
        """A file's bytes; what follows those that are there only where the server says that it is the same file, which
        one that fetches it from a store of its own for each answer does not."""
        path = quote(f"{folder}/{safe_path(name)}")
        same = begun if begun is not None and begun.tag else None
        headers = {} if same is None else {"If-Range": same.tag}
        call = Call("GET", f"{self._url}{ARTIFACTS}/{path}", headers, self._credentials)
        with self._client.fetch(call, most_bytes, same) as download:
            check_status(download.status, SERVER)
            yield download

    def set_tag(self, name: str, version: str, key: str, value: str) -> None:
        self._post(f"{API}/model-versions/set-tag", name=name, version=version, key=key, value=value)

    def give_alias(self, version: Version, alias: str) -> None:
        self._post(f"{API}/registered-models/alias", name=version.name, version=version.version, alias=alias)

    def write(self, version: Version, tags: Mapping[str, str]) -> str | None:
        """What is there already is not written again: MLflow tells of every tag that is set, and whoever waits for a
        verdict hears of it once, also where this process goes on with what another one began."""
        there = self.version(version.name, version.version).tags if tags else {}
        for key, value in tags.items():
            if there.get(key) != value:
                self.set_tag(version.name, version.version, key, value)
        return None

    def log_metrics(self, run_id: str, numbers: Mapping[str, float], at_ms: int) -> None:
        """The same again, of the same time, changes nothing."""
        metrics = [{"key": key, "value": value, "timestamp": at_ms, "step": 0} for key, value in numbers.items()]
        self._post(f"{API}/runs/log-batch", run_id=run_id, metrics=metrics)

    def log_file(self, run_id: str, name: str, content: bytes) -> None:
        """Among the run's artifacts."""
        scheme, _, path = self._artifacts_of(run_id).partition(":")
        if scheme != "mlflow-artifacts":
            raise EgressFailure("artifacts-not-served", NOT_SERVED)
        place = quote(f"{safe_path(urlsplit(path).path.strip('/'))}/{safe_path(name)}")
        headers = {"Content-Type": "application/octet-stream"}
        call = Call("PUT", f"{self._url}{ARTIFACTS}/{place}", headers, self._credentials, content)
        check_status(self._client.send(call).status, SERVER)

    def tries(self) -> dict[str, Callable[[], object]]:
        return {
            "the registry lists model versions": lambda: self._get(f"{API}/model-versions/search", max_results="1"),
            "the registry hands out files": lambda: self._get(ARTIFACTS, path=""),
        }

    def _artifacts_of(self, run_id: str) -> str:
        info = self._get(f"{API}/runs/get", run_id=run_id).get("run", {}).get("info", {})
        return str(info.get("artifact_uri", ""))

    def _get(self, place: str, /, **query: str) -> Json:
        url = f"{self._url}{place}?{urlencode(query)}" if query else f"{self._url}{place}"
        return document(self._client.send(Call("GET", url, credentials=self._credentials)), SERVER)

    def _post(self, path: str, **body: object) -> Json:
        content = json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        call = Call("POST", f"{self._url}{path}", headers, self._credentials, content)
        return document(self._client.send(call), SERVER)
