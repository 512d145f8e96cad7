"""Delivers the outbox: threads of the API process, so that a slow receiver is in no audit's way.

A delivery is claimed under a lease, sent outside of any transaction, and what became of it is written down while
the lease lasts. A process that is killed in between leaves a lease that runs out: the message is sent again under the
same id. Messages about one subject leave for one webhook in their order; several webhooks are served at the same time,
a tenant's on some of the threads only.
"""

import logging
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from uuid import UUID

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from app.access.vault import Vault
from app.db.session import transaction
from app.egress.client import Call, EgressClient
from app.errors import AddressNotAllowed, EgressFailure, SalienceError
from app.periodic import Periodic
from app.webhooks.dispatch import Outcome, Parcel, claim_next, due_webhooks, write_outcome
from app.webhooks.messages import message
from app.webhooks.signing import message_id, signed_headers

logger = logging.getLogger(__name__)

THREADS = 16
PER_TENANT = 4
AT_ONCE = 20
"""Of one webhook, before others have their turn."""


class Courier:
    """Looks for what is due, every so often."""

    def __init__(
        self, engine: Engine, vault: Vault, client: Callable[[], EgressClient], public_url: str | None
    ) -> None:
        self._engine = engine
        self._vault = vault
        self._client = client
        self._public_url = public_url
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="courier")
        self._busy: dict[UUID, UUID] = {}
        """Webhooks that a thread is at, and whose they are."""
        self._lock = threading.Lock()
        self._stopped = threading.Event()

    def periodic(self, interval_seconds: float) -> Periodic:
        return Periodic("courier", self.round, interval_seconds, (SQLAlchemyError, SalienceError))

    def close(self) -> None:
        """What is under way ends with the process, or within its own time limit."""
        self._stopped.set()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def round(self) -> None:
        """Give every free thread a webhook that has something due."""
        with transaction(self._engine) as session:
            due = due_webhooks(session)
        with self._lock:
            tenants = Counter(self._busy.values())
            for webhook_id, tenant_id in due:
                if len(self._busy) >= THREADS:
                    break
                if webhook_id not in self._busy and tenants[tenant_id] < PER_TENANT:
                    tenants[tenant_id] += 1
                    self._busy[webhook_id] = tenant_id
                    self._pool.submit(self._serve, webhook_id).add_done_callback(_report)

    def _serve(self, webhook_id: UUID) -> None:
        try:
            with self._client() as client:
                for _ in range(AT_ONCE):
                    if self._stopped.is_set() or not self._deliver_next(client, webhook_id):
                        return
        except (SQLAlchemyError, SalienceError) as error:
            logger.warning("webhook %s waits: %s", webhook_id, type(error).__name__)
        finally:
            with self._lock:
                self._busy.pop(webhook_id, None)

    def _deliver_next(self, client: EgressClient, webhook_id: UUID) -> bool:
        """False where nothing is due."""
        with transaction(self._engine) as session:
            parcel = claim_next(session, webhook_id)
        if parcel is None:
            return False
        outcome = self._send(client, parcel)
        with transaction(self._engine) as session:
            disabled = write_outcome(session, parcel, outcome)
        if disabled:
            logger.warning("webhook %s is disabled: %s", webhook_id, disabled)
        return True

    def _send(self, client: EgressClient, parcel: Parcel) -> Outcome:
        body = message(parcel.body, parcel.format, self._public_url)
        secrets = [self._vault.open(sealed) for sealed in parcel.sealed_secrets]
        signed = signed_headers(message_id(parcel.delivery_id), parcel.at, body, secrets)
        headers = {"content-type": "application/json", **signed}
        call = Call("POST", self._vault.open(parcel.sealed_url), headers=headers, content=body.encode())
        try:
            answer = client.deliver(call)
        except (AddressNotAllowed, EgressFailure) as failure:
            return Outcome(None, problem=failure.detail)
        return Outcome(answer.status, retry_after=answer.headers.get("retry-after"))


def _report(served: "Future[None]") -> None:
    """Nobody asks for the result: what nothing foresaw is not to go unseen."""
    if not served.cancelled() and served.exception() is not None:
        logger.error("a delivery failed in us", exc_info=served.exception())
