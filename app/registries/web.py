"""A folder of a web server: one file with weights, pinned by its digest, and descriptions beside it."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import quote, unquote

from app.egress.answers import Begun, Download
from app.egress.calls import Call
from app.egress.client import EgressClient
from app.errors import EgressFailure
from app.registries.base import Version
from app.registries.checksums import Checksum
from app.registries.named_files import BESIDE
from app.registries.server_answers import check_status, safe_path
from app.registries.uri_forms import WebUri
from app.registries.without_versions import WithoutVersions

SERVER = "server that has the file"


class WebFolder(WithoutVersions):
    """One server. Every method raises EgressFailure; its code says whether waiting may help."""

    def __init__(self, client: EgressClient, url: str, credentials: Mapping[str, str]) -> None:
        self._client = client
        self._url = url.rstrip("/")
        self._credentials = credentials

    def open(self, uri: str) -> "WebFiles":
        named = WebUri.read(uri)
        if not named.address.startswith(f"{self._url}/"):
            detail = f"The address is not below the connection's, {self._url}/."
            raise EgressFailure("registry-not-found", detail)
        path = unquote(named.address.removeprefix(f"{self._url}/"))
        folder, _, file = safe_path(path).rpartition("/")
        return WebFiles(self, Version(file, named.sha256), folder)

    def tries(self) -> dict[str, Callable[[], object]]:
        return {"the server answers": lambda: self.has("")}

    def has(self, path: str) -> bool:
        """Whether a file is there. A server that fails, or refuses the credentials, is not one without it."""
        call = Call("HEAD", f"{self._url}/{quote(path)}", credentials=self._credentials)
        status = self._client.deliver(call).status
        if status in {404, 405, 410} or 300 <= status < 400:
            return False
        check_status(status, SERVER)
        return True

    @contextmanager
    def fetch(self, path: str, most_bytes: int, begun: Begun | None = None) -> Iterator[Download]:
        call = Call("GET", f"{self._url}/{quote(path)}", credentials=self._credentials)
        with self._client.fetch(call, most_bytes, begun) as download:
            check_status(download.status, SERVER)
            yield download


@dataclass(frozen=True)
class WebFiles:
    """The file that is named, and descriptions of its folder."""

    server: WebFolder
    version: Version
    folder: str

    def names(self) -> set[str]:
        return {self.version.name, *(name for name in BESIDE if self.server.has(self._path(name)))}

    @contextmanager
    def fetch(self, name: str, most_bytes: int, begun: Begun | None = None) -> Iterator[Download]:
        with self.server.fetch(self._path(name), most_bytes, begun) as download:
            yield download

    def pin(self, name: str) -> str | None:
        """Of the weights, their digest; descriptions are small."""
        return f"sha256:{self.version.version}" if name == self.version.name else None

    def checksum(self, name: str) -> Checksum | None:
        """Of the weights: the address has it."""
        return Checksum("sha256", self.version.version) if name == self.version.name else None

    def _path(self, name: str) -> str:
        return f"{self.folder}/{name}" if self.folder else name
