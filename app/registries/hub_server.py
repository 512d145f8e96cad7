"""One Hub: what it is asked of repositories and their files."""

import json
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import quote, urlencode

from app.egress.answers import Answer, Begun, Download, malformed
from app.egress.calls import Call
from app.egress.client import EgressClient
from app.registries.base import Version
from app.registries.hub_answers import DATASETS, cursor_of
from app.registries.server_answers import Json, check_status, document, objects, safe_path
from app.registries.uri_forms import HubUri

SERVER = "Hub of Hugging Face's kind"
PAGE = 1000


class HubServer:
    """Every method raises EgressFailure."""

    def __init__(self, client: EgressClient, url: str, credentials: Mapping[str, str]) -> None:
        self._client = client
        self.url = url.rstrip("/")
        self._credentials = credentials

    @property
    def shows_token(self) -> bool:
        return bool(self._credentials)

    def asked(self, path: str, **query: str) -> Answer:
        """One that is no failure."""
        url = f"{self.url}/{path}?{urlencode(query)}" if query else f"{self.url}/{path}"
        answer = self._client.send(Call("GET", url, credentials=self._credentials))
        check_status(answer.status, SERVER)
        return answer

    def document(self, path: str, **query: str) -> Json:
        return document(self.asked(path, **query), SERVER)

    def repository(self, named: HubUri, **query: str) -> Json:
        kind = DATASETS if named.is_dataset else "models"
        revision = quote(named.revision, safe="")
        return self.document(f"api/{kind}/{quote(named.repository)}/revision/{revision}", **query)

    def list_page(self, version: Version, cursor: str | None) -> tuple[list[Json], str | None]:
        """Files and folders of a commit, and what names the page that follows."""
        asked = {"recursive": "true", "limit": str(PAGE)} | ({} if cursor is None else {"cursor": cursor})
        kind = "" if version.name.startswith(f"{DATASETS}/") else "models/"
        answer = self.asked(f"api/{kind}{quote(version.name)}/tree/{version.version}", **asked)
        return objects(answer.json()), cursor_of(answer)

    def list_repositories(self, asked: Mapping[str, str]) -> tuple[list[Json], str | None]:
        """A page of those that are models, and what names the page that follows."""
        answer = self.asked("api/models", **asked)
        found = answer.json()
        if not isinstance(found, list):
            raise malformed("it lists no repositories")
        return found, cursor_of(answer)

    @contextmanager
    def fetch(self, version: Version, name: str, most_bytes: int, begun: Begun | None = None) -> Iterator[Download]:
        """A file's bytes, from wherever the Hub redirects to; the token stays with the Hub."""
        with self._client.fetch(self._file(version, name, {}), most_bytes, begun) as download:
            check_status(download.status, SERVER)
            yield download

    @contextmanager
    def get(self, version: Version, name: str, headers: Mapping[str, str], most_bytes: int) -> Iterator[Download]:
        """Whatever the Hub answers, or the store that it redirects to."""
        with self._client.fetch(self._file(version, name, headers), most_bytes) as download:
            yield download

    def propose(self, version: Version, summary: str, path: str, content: bytes) -> Json:
        """A pull request that writes a file."""
        lines = [
            {"key": "header", "value": {"summary": summary, "description": "", "parentCommit": version.version}},
            {"key": "file", "value": {"content": b64encode(content).decode(), "path": path, "encoding": "base64"}},
        ]
        body = "\n".join(json.dumps(line) for line in lines).encode()
        url = f"{self.url}/api/models/{quote(version.name)}/commit/main?create_pr=1"
        call = Call("POST", url, {"Content-Type": "application/x-ndjson"}, self._credentials, body)
        return document(self._client.send(call), SERVER)

    def _file(self, version: Version, name: str, headers: Mapping[str, str]) -> Call:
        path = f"{quote(version.name)}/resolve/{version.version}/{quote(safe_path(name))}"
        return Call("GET", f"{self.url}/{path}", headers, self._credentials)
