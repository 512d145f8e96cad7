"""An audit's events, through cut lines and restarted services, and by polling where no stream gets through."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass

import httpx

from salience_audit.connection import Connection
from salience_audit.errors import ApiError, Json
from salience_audit.retries import PASSING

MEDIA_TYPE = "text/event-stream"
SILENCE_SECONDS = 60.0
"""The service breaks its silence every fifteen; a line that is silent for longer is dead."""

STREAMS_IN_VAIN = 3
POLL_SECONDS = 1.0


@dataclass(frozen=True)
class Event:
    """``status``, ``progress``, ``note`` or ``end``, and its data.

    Of ``progress``: ``done``, ``total``, ``unit``, ``samples_per_second``, ``eta_seconds``; of ``note`` the ``note``:
    what to do where workers are lost, None once one is back; of the others ``status`` and ``problem``. ``id`` is None
    of notes, and where the audit was polled.
    """

    name: str
    data: Json
    id: str | None


def follow(connection: Connection, audit_id: str) -> Iterator[Event]:
    """What happens until the audit ends; the last event is ``end``. Raises ApiError, Unreachable."""
    last, in_vain = None, 0
    while in_vain < STREAMS_IN_VAIN:
        in_vain += 1
        try:
            for event in _streamed(connection, audit_id, last):
                last, in_vain = event.id or last, 0
                yield event
                if event.name == "end":
                    return
        except httpx.TransportError:
            pass  # comes again, as after an orderly end
        except ApiError as error:
            if error.status not in PASSING:
                raise
        time.sleep(connection.retries.pause(in_vain))
    yield from _polled(connection, audit_id)


def _streamed(connection: Connection, audit_id: str, last: str | None) -> Iterator[Event]:
    """The events of one connection; none where what answers is no stream."""
    headers = {"Accept": MEDIA_TYPE} | ({"Last-Event-ID": last} if last else {})
    with connection.stream(f"/v1/audits/{audit_id}/events", headers, SILENCE_SECONDS) as answer:
        if answer.headers.get("content-type", "").startswith(MEDIA_TYPE):
            yield from _parsed(answer.iter_lines())


def _parsed(lines: Iterator[str]) -> Iterator[Event]:
    """An event ends with an empty line; comments and other fields say nothing here."""
    fields: dict[str, str] = {}
    for line in lines:
        if line:
            name, _, value = line.partition(":")
            fields[name] = value.removeprefix(" ")
            continue
        if "data" in fields:
            yield Event(fields.get("event", "message"), json.loads(fields["data"]), fields.get("id"))
        fields = {}


def _polled(connection: Connection, audit_id: str) -> Iterator[Event]:
    told: tuple[str, Json] | None = None
    while True:
        audit = connection.get(f"/v1/audits/{audit_id}")
        status = {"status": audit["status"], "problem": audit["problem"]}
        if told is None or told[0] != audit["status"]:
            yield Event("status", status, None)
        if told is None or told[1] != audit["progress"]:
            yield Event("progress", audit["progress"], None)
        if audit["status"] not in {"queued", "running"}:
            yield Event("end", status, None)
            return
        told = audit["status"], audit["progress"]
        time.sleep(POLL_SECONDS)
