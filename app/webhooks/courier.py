"""Delivers the outbox: threads of the API process, so that a slow receiver is in no audit's way.

A delivery is claimed under a lease, sent outside of any transaction, and what became of it is written down while
the lease lasts. A process that is killed in between leaves a lease that runs out: the message is sent again under the
same id. Messages about one subject leave for one webhook in their order; several webhooks are served at the same time,
a tenant's on some of the threads only.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Engine

from app.access.vault import Vault
from app.db.session import transaction
from app.egress.calls import Call
from app.egress.client import EgressClient
from app.errors import SalienceError
from app.lanes import Lanes, Size
from app.webhooks.dispatch import Outcome, Parcel, claim_next, due_webhook, write_outcome
from app.webhooks.messages import message
from app.webhooks.signing import message_id, signed_headers

logger = logging.getLogger(__name__)

THREADS = 16
PER_TENANT = 4
AT_ONCE = 20
"""Of one webhook, before others have their turn,"""
TURN_SECONDS = 15.0
"""or sooner, where it takes its time."""
OUR_FAULT = "The message could not be made: a fault of this service, whose log says more."


@dataclass(frozen=True)
class Turn:
    """A webhook that has something due, and whose it is."""

    webhook_id: UUID
    tenant_id: UUID


class Courier:
    """Serves each webhook on one thread at a time."""

    def __init__(
        self, engine: Engine, vault: Vault, client: Callable[[], EgressClient], public_url: str | None
    ) -> None:
        self._engine = engine
        self._vault = vault
        self._client = client
        self._public_url = public_url
        self._busy: set[UUID] = set()
        """Webhooks that a thread is at."""

    def lanes(self) -> Lanes[Turn]:
        return Lanes("courier", self.claim, self.work, size=Size(THREADS, PER_TENANT))

    def claim(self, full: frozenset[UUID]) -> Turn | None:
        """The webhook for which something is due the longest. What it gets is claimed delivery by delivery."""
        with transaction(self._engine) as session:
            found = due_webhook(session, frozenset(self._busy), full)
        if found is None:
            return None
        self._busy.add(found[0])
        return Turn(*found)

    def work(self, turn: Turn) -> None:
        """Its deliveries, one after the other."""
        try:
            with self._client() as client:
                client.charge_to(turn.tenant_id)
                end = time.monotonic() + TURN_SECONDS
                for _ in range(AT_ONCE):
                    if not self._deliver_next(client, turn.webhook_id) or time.monotonic() > end:
                        return
        finally:
            self._busy.discard(turn.webhook_id)

    def _deliver_next(self, client: EgressClient, webhook_id: UUID) -> bool:
        """False where nothing is due."""
        with transaction(self._engine) as session:
            parcel = claim_next(session, webhook_id)
        if parcel is None:
            return False
        outcome = self._attempted(client, parcel)
        with transaction(self._engine) as session:
            disabled = write_outcome(session, parcel, outcome)
        if disabled:
            logger.warning("webhook %s is disabled: %s", webhook_id, disabled)
        return True

    def _attempted(self, client: EgressClient, parcel: Parcel) -> Outcome:
        """Whatever kept it from being sent is an outcome: an attempt without one would be made again at once."""
        try:
            return self._send(client, parcel)
        except SalienceError as failure:
            logger.warning("delivery %s is not sent: %s", parcel.delivery_id, failure.code)
            return Outcome(None, problem=failure.detail)
        except Exception:
            logger.exception("delivery %s is not sent", parcel.delivery_id)
            return Outcome(None, problem=OUR_FAULT)

    def _send(self, client: EgressClient, parcel: Parcel) -> Outcome:
        body = message(parcel.body, parcel.format, self._public_url)
        secrets = [self._vault.open(sealed) for sealed in parcel.sealed_secrets]
        signed = signed_headers(message_id(parcel.delivery_id), parcel.at, body, secrets)
        headers = {"content-type": "application/json", **signed}
        call = Call("POST", self._vault.open(parcel.sealed_url), headers=headers, content=body.encode())
        answer = client.deliver(call)
        return Outcome(answer.status, retry_after=answer.headers.get("retry-after"))
