"""Fetches models that wait for it: threads of the API process, claimed under a lease, given up after a day's tries."""

import logging
import time
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import Engine, Update, func, select, update

from app.access.quotas import check_bytes
from app.access.vault import Vault
from app.connections.service import registry_of
from app.db.leases import MAX_ATTEMPTS, claim_due, wait_after
from app.db.session import TenantEngine, transaction
from app.db.tables import ConnectionRow, ModelImportRow, ModelRow
from app.domain.vocabulary import ResourceStatus
from app.egress.client import EgressClient
from app.errors import EgressFailure, InputFailure, QuotaExceeded, SalienceError
from app.http.wake_up import wake_worker
from app.imports.fetching import Fetched, fetch
from app.lanes import Lanes
from app.models.service import described_anew
from app.queue import TaskName, TaskQueue
from app.settings import Settings
from app.storage.blobs import BlobStore
from app.uploads.content import taking_over
from app.webhooks.events import model_looked_at
from app.webhooks.outbox import tell

logger = logging.getLogger(__name__)

LEASE = timedelta(seconds=120)
RENEW_SECONDS = 30.0


class ImportLost(SalienceError):
    """The model was deleted, or another process has it now."""

    def __init__(self) -> None:
        super().__init__("import-lost", "The import belongs to another process.")


@dataclass(frozen=True)
class Claim:
    """A model that this process fetches, as long as the count of attempts stays its own."""

    model_id: UUID
    tenant_id: UUID
    uri: str
    attempt: int


@dataclass(frozen=True)
class Importer:
    """Brings models from ``fetching`` to ``validating``, ``needs_description`` or ``rejected``."""

    engine: Engine
    vault: Vault
    blobs: BlobStore
    queue: TaskQueue
    settings: Settings

    def lanes(self) -> Lanes[Claim]:
        return Lanes("importer", self.claim, self.work)

    def claim(self, full: frozenset[UUID]) -> Claim | None:
        """The one that is due the longest, of a tenant that has room."""
        found = claim_due(self.engine, ModelImportRow, full, LEASE)
        return None if found is None else Claim(found.model_id, found.tenant_id, found.uri, found.attempts)

    def work(self, claim: Claim) -> None:
        """One attempt, and what becomes of it."""
        try:
            self._accept(claim, self._fetch(claim))
        except ImportLost:
            return
        except EgressFailure as failure:
            if failure.passing and claim.attempt < MAX_ATTEMPTS:
                self._wait(claim)
            else:
                self._reject(claim, failure)
        except (InputFailure, QuotaExceeded) as failure:
            self._reject(claim, failure)
        except SalienceError as failure:
            logger.warning("the import of model %s waits: %s", claim.model_id, failure.code)
            self._wait(claim)

    def _fetch(self, claim: Claim) -> Fetched:
        with transaction(TenantEngine(self.engine, claim.tenant_id)) as session:
            connection = session.scalar(
                select(ConnectionRow)
                .join(ModelImportRow, ModelImportRow.connection_id == ConnectionRow.id)
                .where(ModelImportRow.model_id == claim.model_id)
            )
        if connection is None:
            raise ImportLost
        renewal = _Renewal(self.engine, claim)
        with EgressClient.from_settings(self.settings) as client:
            registry = registry_of(connection, self.vault, client)
            return fetch(registry, claim.uri, self.blobs, self.settings.max_upload_bytes, renewal)

    def _accept(self, claim: Claim, fetched: Fetched) -> None:
        tenant = TenantEngine(self.engine, claim.tenant_id)
        with taking_over(tenant, self.blobs, fetched.blob) as session:
            imported = session.get(ModelImportRow, claim.model_id, with_for_update=True)
            model = session.get(ModelRow, claim.model_id, with_for_update=True)
            if imported is None or model is None or imported.attempts != claim.attempt:
                raise ImportLost
            model.content_digest, model.content_size, model.problem = fetched.blob.digest, fetched.blob.size, None
            told = {"name": fetched.version.name, "version": fetched.version.version, "file": fetched.file}
            model.source = {**(model.source or {}), **told}
            imported.found, imported.next_at = [list(found) for found in fetched.found], None
            is_complete = _described(model, imported)
            session.flush()
            check_bytes(session, self.settings)
        if is_complete:
            wake_worker(self.queue, TaskName.VALIDATE_MODEL, claim.model_id)

    def _wait(self, claim: Claim) -> None:
        with transaction(self.engine) as session:
            session.execute(_of(claim).values(next_at=func.clock_timestamp() + wait_after(claim.attempt)))

    def _reject(self, claim: Claim, failure: SalienceError) -> None:
        logger.info("model %s is not imported: %s", claim.model_id, failure.code)
        with transaction(self.engine) as session:
            if session.execute(_of(claim).values(next_at=None).returning(ModelImportRow.model_id)).one_or_none():
                model = session.get_one(ModelRow, claim.model_id, with_for_update=True)
                model.status, model.problem = ResourceStatus.REJECTED, failure.to_problem()
                tell(session, model.tenant_id, model_looked_at(model, model.status, model.problem))


def _described(model: ModelRow, imported: ModelImportRow) -> bool:
    """What a request would be told is here the model's own problem."""
    try:
        return described_anew(model, imported)
    except SalienceError as error:
        raise InputFailure(error.code, error.detail) from error


class _Renewal:
    """Called again and again while a file is fetched."""

    def __init__(self, engine: Engine, claim: Claim) -> None:
        self._engine = engine
        self._claim = claim
        self._at = time.monotonic()

    def __call__(self) -> None:
        if time.monotonic() - self._at < RENEW_SECONDS:
            return
        self._at = time.monotonic()
        with transaction(self._engine) as session:
            renewed = _of(self._claim).values(next_at=func.clock_timestamp() + LEASE)
            if session.execute(renewed.returning(ModelImportRow.model_id)).one_or_none() is None:
                raise ImportLost


def _of(claim: Claim) -> Update:
    return update(ModelImportRow).where(
        ModelImportRow.model_id == claim.model_id, ModelImportRow.attempts == claim.attempt
    )
