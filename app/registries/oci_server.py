"""One OCI registry: what it is asked and sent, with the connection's credentials or the tokens they are good for."""

import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from urllib.parse import urlencode, urljoin, urlsplit

from app.egress.answers import Answer, Begun, Download, malformed
from app.egress.calls import Call
from app.egress.client import EgressClient
from app.errors import EgressFailure
from app.registries.oci_manifest import DIGEST, MANIFEST, Manifest, descriptor, digest_of
from app.registries.server_answers import Json, check_status, document

SERVER = "OCI registry"
ACCEPTED = f"{MANIFEST}, application/vnd.docker.distribution.manifest.v2+json"
_CHALLENGE = re.compile(r'(\w+)="([^"]*)"')


class OciServer:
    """Every method raises EgressFailure."""

    def __init__(self, client: EgressClient, url: str, credentials: Mapping[str, str]) -> None:
        self._client = client
        self.url = url.rstrip("/")
        self._credentials = credentials
        self._tokens: dict[str, Mapping[str, str]] = {}

    def answers(self) -> None:
        check_status(self._send(Call("GET", f"{self.url}/v2/"), "").status, SERVER)

    def list_tags(self, repository: str, asked: Mapping[str, str]) -> tuple[list[str], bool]:
        """A page of them, and whether another follows."""
        url = f"{self.url}/v2/{repository}/tags/list?{urlencode(asked)}"
        answer = self._send(Call("GET", url), pulls(repository))
        tags = [str(tag) for tag in document(answer, SERVER).get("tags") or []]
        return tags, 'rel="next"' in answer.headers.get("link", "")

    @contextmanager
    def fetch(self, repository: str, digest: str, most_bytes: int, begun: Begun | None = None) -> Iterator[Download]:
        """A blob's bytes, from wherever the registry redirects to; credentials stay with the registry."""
        scope, blob = pulls(repository), Call("GET", f"{self.url}/v2/{repository}/blobs/{digest}")
        with ExitStack() as exchange:
            download = exchange.enter_context(self._client.fetch(self._shown(blob, scope), most_bytes, begun))
            if self._is_renewed(download.status, download.headers, scope):
                exchange.close()
                download = exchange.enter_context(self._client.fetch(self._shown(blob, scope), most_bytes, begun))
            check_status(download.status, SERVER)
            yield download

    def manifest(self, repository: str, reference: str) -> Manifest:
        """Raises EgressFailure, also where the bytes are not those of the digest that names them."""
        answer = self.asked(repository, reference, ACCEPTED)
        told = document(answer, SERVER)
        digest = digest_of(answer.body)
        if DIGEST.fullmatch(reference) and reference != digest:
            detail = "The bytes of a manifest are not those that its digest names."
            raise EgressFailure("artifact-corrupted", detail)
        return Manifest(repository, digest, answer.body, told)

    def asked(self, repository: str, reference: str, accepted: str) -> Answer:
        """For a manifest, or an index: whatever the registry answers."""
        call = Call("GET", f"{self.url}/v2/{repository}/manifests/{reference}", {"Accept": accepted})
        return self._send(call, pulls(repository))

    def put_blob(self, repository: str, content: bytes, media_type: str) -> Json:
        """Its descriptor, once it is there."""
        told, scope = descriptor(content, media_type), pushes(repository)
        begun = self._send(Call("POST", f"{self.url}/v2/{repository}/blobs/uploads/", content=b""), scope)
        check_status(begun.status, SERVER)
        place = urljoin(f"{self.url}/", begun.headers.get("location", ""))
        if urlsplit(place)[:2] != urlsplit(self.url)[:2]:
            raise malformed("it takes uploads at another host")
        joint = "&" if "?" in place else "?"
        headers = {"Content-Type": "application/octet-stream"}
        url = f"{place}{joint}{urlencode({'digest': told['digest']})}"
        check_status(self._send(Call("PUT", url, headers, content=content), scope).status, SERVER)
        return told

    def put_manifest(self, repository: str, reference: str, body: bytes, media_type: str) -> Answer:
        url = f"{self.url}/v2/{repository}/manifests/{reference}"
        answer = self._send(Call("PUT", url, {"Content-Type": media_type}, content=body), pushes(repository))
        check_status(answer.status, SERVER)
        return answer

    def _send(self, call: Call, scope: str) -> Answer:
        """With the connection's credentials, or the token that they are good for."""
        answer = self._client.send(self._shown(call, scope))
        if self._is_renewed(answer.status, answer.headers, scope):
            return self._client.send(self._shown(call, scope))
        return answer

    def _shown(self, call: Call, scope: str) -> Call:
        return replace(call, credentials=self._tokens.get(scope, self._credentials))

    def _is_renewed(self, status: int, headers: Mapping[str, str], scope: str) -> bool:
        """Whether there is another token to come again with: the first one, or one in place of one that has expired."""
        challenge = headers.get("www-authenticate", "")
        if status != 401 or not challenge.lower().startswith("bearer "):
            return False
        self._tokens[scope] = self._token(dict(_CHALLENGE.findall(challenge)), scope)
        return True

    def _token(self, challenge: Mapping[str, str], scope: str) -> dict[str, str]:
        """From the server that the registry names for it, to which the credentials are shown only over TLS."""
        realm, here = urlsplit(challenge.get("realm", "")), urlsplit(self.url)
        if realm.scheme != "https" and realm[:2] != here[:2]:
            raise malformed("it names no server for tokens that credentials could be shown to")
        asked = {"service": challenge.get("service", ""), "scope": scope}
        query = urlencode({name: value for name, value in asked.items() if value})
        url = f"{challenge['realm']}{'&' if realm.query else '?'}{query}"
        told = document(self._client.send(Call("GET", url, credentials=self._credentials)), SERVER)
        token = told.get("token") or told.get("access_token")
        if not isinstance(token, str) or not re.fullmatch(r"[!-~]{1,16384}", token):
            raise malformed("it has no token")
        return {"Authorization": f"Bearer {token}"}


def pulls(repository: str) -> str:
    return f"repository:{repository}:pull"


def pushes(repository: str) -> str:
    return f"repository:{repository}:pull,push"
