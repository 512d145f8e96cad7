"""Audits that are watched over HTTP, and who watches them."""

import json
import threading
from typing import Any
from uuid import UUID

import httpx
from sqlalchemy import func

from app.domain.vocabulary import AuditStatus
from tests.api.audit_rows import add_audit, set_audit
from tests.api.running_api import Api
from tests.keys import HEADERS
from tests.waiting import PATIENCE_SECONDS

FAST = {"WATCH_SECONDS": "0.1", "WATCH_HEARTBEAT_SECONDS": "0.5", "RECONCILE_SECONDS": "3600"}


class Watcher:
    """Reads a stream in a thread; ``events`` are (event, id, data), comments apart; a note has no id."""

    def __init__(self, api: Api, audit_id: UUID, last: str | None = None) -> None:
        headers = {} if last is None else {"Last-Event-ID": last}
        self.events: list[tuple[str, str, dict[str, Any]]] = []
        self.comments = 0
        self.retry = 0
        self.over = False
        self._client = httpx.Client(base_url=api.client.base_url, headers=HEADERS, timeout=PATIENCE_SECONDS)
        self._request = self._client.build_request("GET", f"/v1/audits/{audit_id}/events", headers=headers)
        self._answer = self._client.send(self._request, stream=True)
        assert self._answer.status_code == 200
        assert self._answer.headers["content-type"].startswith("text/event-stream")
        self.port: int = self._answer.extensions["network_stream"].get_extra_info("client_addr")[1]
        self._leaving = False
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        event: dict[str, str] = {}
        try:
            for line in self._answer.iter_lines():
                if self._leaving:
                    return
                if line.startswith(":"):
                    self.comments += 1
                elif line:
                    name, _, value = line.partition(": ")
                    event[name] = value
                elif "event" in event:
                    self.events.append((event["event"], event.get("id", ""), json.loads(event["data"])))
                    event = {}
                else:
                    self.retry, event = int(event.get("retry", self.retry)), {}
            self.over = True
        except (httpx.HTTPError, httpx.StreamError):
            pass
        finally:
            self._client.close()

    def names(self) -> list[str]:
        return [name for name, _, _ in self.events]

    def leave(self) -> None:
        """At the next line: a comment at the latest."""
        self._leaving = True
        self._thread.join(120)


def start(api: Api, shards: int = 4) -> UUID:
    audit_id = add_audit(api.engine, shards=shards)
    set_audit(api.engine, audit_id, AuditStatus.RUNNING, started_at=func.clock_timestamp())
    return audit_id


def finish(api: Api, audit_id: UUID) -> None:
    set_audit(api.engine, audit_id, AuditStatus.SUCCEEDED, finished_at=func.clock_timestamp())
