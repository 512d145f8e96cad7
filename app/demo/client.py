"""The few calls of the API that the demo makes, as any program would make them."""

import hashlib
import time
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

Json = dict[str, Any]

POLL_SECONDS = 0.5


class DemoFailed(Exception):
    """A step of the demo did not end well."""


class DemoClient:
    """Uploads, waits, audits."""

    def __init__(self, url: str, api_key: str | None) -> None:
        headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        # The supervisor may be replacing the API at the very moment.
        transport = httpx.HTTPTransport(retries=5)
        self._http = httpx.Client(base_url=url, headers=headers, timeout=120, transport=transport)

    def upload(self, collection: str, description: Json, content: bytes) -> Json:
        """Describe a model or data set, send its bytes, wait until it is ready."""
        resource = self._call("POST", f"/v1/{collection}", json=description)
        digest = b64encode(hashlib.sha256(content).digest()).decode()
        headers = {"Content-Digest": f"sha-256=:{digest}:", "Content-Type": "application/octet-stream"}
        self._call("PUT", f"/v1/{collection}/{resource['id']}/content", content=content, headers=headers)
        return self.wait(f"/v1/{collection}/{resource['id']}", {"ready"}, {"rejected"})

    def create(self, collection: str, description: Json) -> Json:
        return self._call("POST", f"/v1/{collection}", json=description)

    def get(self, path: str) -> Json:
        return self._call("GET", path)

    def wait(self, path: str, good: set[str], bad: set[str], watch: Callable[[Json], None] = lambda _: None) -> Json:
        """Poll until the status is one of ``good``; raises DemoFailed where it is one of ``bad``."""
        while True:
            resource = self.get(path)
            watch(resource)
            if resource["status"] in good:
                return resource
            if resource["status"] in bad:
                raise DemoFailed(f"{path} is {resource['status']}: {resource.get('problem')}")
            time.sleep(POLL_SECONDS)

    def _call(self, method: str, path: str, **options: Any) -> Json:
        try:
            answer = self._http.request(method, path, **options)
        except httpx.TransportError as error:
            raise DemoFailed(f"{method} {path}: {error}") from error
        if answer.is_error:
            raise DemoFailed(f"{method} {path} answered {answer.status_code}: {answer.text[:500]}")
        document: Json = answer.json()
        return document


def read(path: Path) -> bytes:
    if not path.exists():
        raise DemoFailed(f"{path} is missing; run the demo from a checkout of the repository.")
    return path.read_bytes()
