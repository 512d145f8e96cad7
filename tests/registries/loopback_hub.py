"""A Hub on loopback: repositories, redirects and digests as the Hub answers them, large files from another host."""

import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

Json = dict[str, Any]
COMMIT = "5c0d2a97d1e84b63a7c95e1f02d8b64c5f0c2a97"
LARGE_BYTES = 100_000
"""From here on a file lies in large file storage."""
CHANGED = "2026-11-30T02:01:04.000Z"
COMMITTED = "2026-11-30T01:01:04.000Z"
"""An hour before the repository changed last."""


class LoopbackHub(ThreadingHTTPServer):
    """``files`` are by repository, or by ``repository@commit`` of a commit that lists others; ``asked`` has every
    request's path and ``Authorization``.
    """

    daemon_threads = True

    def __init__(self, other: "LoopbackHub | None" = None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files: dict[str, dict[str, bytes]] = {}
        self.refs: dict[str, str] = {"main": COMMIT, COMMIT: COMMIT}
        self.asked: list[tuple[str, str | None]] = []
        self.storage = other
        self.tags: dict[str, str] = {}
        """Of git, in every repository: a name's commit."""
        self.commits: list[Json] = []
        self.page = 1000
        """Files of a listing's page."""
        self.changed: dict[str, bytes] = {}
        """Bytes of large files that are not those that the repository names."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


def blob_id(content: bytes) -> str:
    return hashlib.sha1(f"blob {len(content)}\0".encode() + content).hexdigest()


def _sibling(name: str, content: bytes) -> Json:
    told: Json = {"rfilename": name, "size": len(content), "blobId": blob_id(content)}
    if len(content) < LARGE_BYTES:
        return told
    return told | {"lfs": {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content), "pointerSize": 134}}


def _stored_name(path: str) -> str:
    """Of an address of the API, what names a repository in ``files``: of data sets with its kind."""
    return path.removeprefix("/api/").removeprefix("models/")


def _entry(name: str, content: bytes) -> Json:
    told: Json = {"type": "file", "path": name, "size": len(content), "oid": blob_id(content)}
    if len(content) < LARGE_BYTES:
        return told
    return told | {"lfs": {"oid": hashlib.sha256(content).hexdigest(), "size": len(content), "pointerSize": 134}}


class _Handler(BaseHTTPRequestHandler):
    server: LoopbackHub

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        self.server.asked.append((path, self.headers.get("authorization")))
        if path.endswith("/discussions"):
            told = [{"num": 1, "title": one["lines"][0]["value"]["summary"]} for one in self.server.commits]
            self._send(200, json.dumps({"discussions": told}).encode())
        elif "/tree/" in path:
            self._list(path)
        elif "/commits/" in path or path.endswith("/refs"):
            self._tell_git(path)
        elif path.startswith(("/api/models/", "/api/datasets/")):
            name, _, revision = _stored_name(path).partition("/revision/")
            self._tell(name, revision)
        elif path == "/api/models":
            listed = [{"id": name, "sha": COMMIT, "lastModified": CHANGED} for name in self.server.files]
            self._send(200, json.dumps(listed).encode())
        elif path == "/api/whoami-v2":
            self._send(200 if self.headers.get("authorization") else 401, b'{"name":"auditor"}')
        elif path.startswith("/stored/"):
            self._send(200, self.server.changed.get(path) or self.server.files["stored"][path])
        elif "/resolve/" in path:
            name, _, rest = path.strip("/").partition("/resolve/")
            self._resolve(name, *rest.split("/", 1))
        elif path.startswith("/api/resolve-cache/"):
            name, _, file = _stored_name(path.replace("/resolve-cache", "", 1)).partition(f"/{COMMIT}/")
            self._send(200, self.server.files[name][file], **self._marks(name, file))
        else:
            self._send(404, b'{"error":"Repository not found"}')

    def do_POST(self) -> None:
        """What a client asks on its way to a commit, and the commit."""
        asked = urlsplit(self.path)
        body = self.rfile.read(int(self.headers["content-length"]))
        if "/commit/" in asked.path:
            lines = [json.loads(line) for line in body.splitlines()]
            self.server.commits.append({"path": asked.path, "query": asked.query, "lines": lines})
            url = f"{self.server.url}/ours/faces/discussions/1"
            told = {
                "success": True,
                "commitOid": COMMIT,
                "commitUrl": f"{self.server.url}/ours/faces/commit/{COMMIT}",
                "pullRequestUrl": url,
            }
            self._send(200, json.dumps(told).encode())
        elif "/preupload/" in asked.path:
            files = [
                {"path": one["path"], "uploadMode": "regular", "shouldIgnore": False}
                for one in json.loads(body)["files"]
            ]
            self._send(200, json.dumps({"files": files}).encode())
        else:
            self._send(200, b'{"errors":[],"warnings":[]}')

    def do_HEAD(self) -> None:
        self.do_GET()

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""

    def _tell(self, name: str, revision: str) -> None:
        commit = self.server.refs.get(revision or "main")
        files = self.server.files.get(f"{name}@{commit}", self.server.files.get(name))
        if files is None or commit is None:
            self._send(404, b'{"error":"Repository not found"}', **{"X-Error-Code": "RepoNotFound"})
            return
        siblings = [_sibling(file, content) for file, content in files.items()]
        own = name.removeprefix("datasets/")
        told = {"_id": "1", "id": own, "sha": commit, "lastModified": CHANGED, "private": False, "tags": []}
        self._send(200, json.dumps(told | {"siblings": siblings}).encode())

    def _tell_git(self, path: str) -> None:
        """Tags; or a commit, behind which a Hub lists those before."""
        tags = [{"name": tag, "ref": f"refs/tags/{tag}", "targetCommit": sha} for tag, sha in self.server.tags.items()]
        revision = path.rpartition("/")[2]
        if revision == "refs":
            self._send(200, json.dumps({"branches": [], "converts": [], "tags": tags}).encode())
        elif revision in self.server.refs:
            told = {"id": self.server.refs[revision], "title": "Add", "message": "", "authors": [], "date": COMMITTED}
            self._send(200, json.dumps([told]).encode())
        else:
            self._send(404, b'{"error":"Revision not found"}')

    def _list(self, path: str) -> None:
        """A page of a commit's files and folders; another behind it is named as the Hub names it."""
        name, _, revision = _stored_name(path).partition("/tree/")
        asked = parse_qs(urlsplit(self.path).query)
        files = self.server.files.get(name)
        if files is None or revision.strip("/") not in self.server.refs:
            self._send(404, b'{"error":"Repository not found"}')
            return
        every = [
            {"type": "directory", "oid": "0" * 40, "size": 0, "path": "cat"},
            *(_entry(*one) for one in files.items()),
        ]
        start = int(asked.get("cursor", ["0"])[0])
        stop = start + min(int(asked.get("limit", ["1000"])[0]), self.server.page)
        link = f'<{self.server.url}{path}?recursive=true&limit={self.server.page}&cursor={stop}>; rel="next"'
        self._send(200, json.dumps(every[start:stop]).encode(), **({"Link": link} if stop < len(every) else {}))

    def _resolve(self, name: str, revision: str, file: str) -> None:
        content = self.server.files.get(name, {}).get(file)
        if content is None or revision not in self.server.refs:
            self._send(404, b"Entry not found", **{"X-Error-Code": "EntryNotFound"})
            return
        if len(content) < LARGE_BYTES:
            kind = "" if name.startswith("datasets/") else "models/"
            place = f"/api/resolve-cache/{kind}{name}/{COMMIT}/{quote(file)}"
            self._send(307, b"", Location=place, **self._marks(name, file))
            return
        assert self.server.storage is not None
        place = f"/stored/{hashlib.sha256(content).hexdigest()}"
        self.server.storage.files["stored"] = {place: content}
        self._send(302, b"", Location=f"{self.server.storage.url}{place}?X-Amz-Signature=a", **self._marks(name, file))

    def _marks(self, name: str, file: str) -> dict[str, str]:
        content = self.server.files[name][file]
        marks = {"X-Repo-Commit": COMMIT, "ETag": f'"{blob_id(content)}"'}
        if len(content) < LARGE_BYTES:
            return marks
        linked = {"X-Linked-ETag": f'"{hashlib.sha256(content).hexdigest()}"', "X-Linked-Size": str(len(content))}
        return marks | linked

    def _send(self, status: int, body: bytes, **headers: str) -> None:
        span = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("range", ""))
        if span is not None and status == 200:
            status, body = 206, body[int(span[1]) : int(span[2]) + 1]
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


@contextmanager
def loopback_hub() -> Iterator[LoopbackHub]:
    with LoopbackHub() as storage, LoopbackHub(storage) as hub:
        servers = (storage, hub)
        for server in servers:
            threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield hub
        for server in servers:
            server.shutdown()
