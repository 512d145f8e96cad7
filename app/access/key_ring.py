"""Tells whose key a request presents, on the database's word of this very moment: a revoked key is revoked at once."""

import hmac
import logging
import time
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Engine, func, update
from sqlalchemy.exc import SQLAlchemyError

from app.access.batches import Batches
from app.access.keys import KEY_LENGTH, generate_key, is_key, prefix_of
from app.access.repository import StoredKey, active_keys
from app.access.scopes import Scope, with_included
from app.access.service import KeySigner
from app.db.session import transaction
from app.db.tables import ApiKeyRow
from app.domain.problems.service import DATABASE_AWAY
from app.errors import Unauthenticated

logger = logging.getLogger(__name__)

NOTE_SECONDS = 60.0


@dataclass(frozen=True)
class Caller:
    """Who a request comes from, and what it may do."""

    tenant_id: UUID
    key_id: UUID
    scopes: frozenset[Scope]
    rotated_at: datetime | None
    expires_at: datetime | None


class KeyRing:
    """One thread and one connection read all keys."""

    def __init__(self, engine: Engine, signer: KeySigner, thread: Executor) -> None:
        self._engine = engine
        # One statement needs no transaction around it: two round trips less, on every request.
        self._reading = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._signer = signer
        self._decoy = generate_key(signer.environment)
        self._decoy_hash = signer.hash(self._decoy)
        self._thread = thread
        self._batches: Batches[str, StoredKey | None] = Batches(thread, self._read)
        self._noted: dict[UUID, float] = {}

    async def authenticate(self, presented: str | None) -> Caller:
        """Raises Unauthenticated, in the same words and after the same work for every key that is not good.

        One that cannot be a key is checked as if it were another that nobody has, so that its answer takes as long.
        Raises Unavailable while the database is away.
        """
        # The length comes first: nothing that is long is looked at.
        well_formed = (
            presented is not None and len(presented) == KEY_LENGTH and is_key(presented, self._signer.environment)
        )
        key = presented if presented is not None and well_formed else self._decoy
        row = await self._find(prefix_of(key))
        found = hmac.compare_digest(self._signer.hash(key), self._decoy_hash if row is None else row.key_hash)
        if row is None or not found or not well_formed:
            raise Unauthenticated
        self._note_use(row)
        scopes = frozenset(Scope(scope) for scope in row.scopes if scope in set(Scope))
        return Caller(row.tenant_id, row.id, with_included(scopes), row.rotated_at, row.expires_at)

    async def _find(self, prefix: str) -> StoredKey | None:
        try:
            return await self._batches.ask(prefix)
        except SQLAlchemyError as error:
            logger.warning("keys cannot be read: %s", type(error).__name__)
            raise DATABASE_AWAY.error() from error

    def _read(self, prefixes: Sequence[str]) -> list[StoredKey | None]:
        with self._reading.connect() as connection:
            found = active_keys(connection, set(prefixes))
        return [found.get(prefix) for prefix in prefixes]

    def _note_use(self, row: StoredKey) -> None:
        """Now and then; nobody waits for it."""
        now = time.monotonic()
        if now - self._noted.get(row.id, -NOTE_SECONDS) >= NOTE_SECONDS:
            self._noted[row.id] = now
            self._thread.submit(self._write_use, row.id)

    def _write_use(self, key_id: UUID) -> None:
        try:
            with transaction(self._engine) as session:
                noted = update(ApiKeyRow).where(ApiKeyRow.id == key_id).values(last_used_at=func.clock_timestamp())
                session.execute(noted)
        except SQLAlchemyError as error:
            logger.warning("the use of a key is not noted: %s", type(error).__name__)
