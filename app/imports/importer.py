"""Fetches what waits for it: threads of the API process, claimed under a lease, given up after a day's tries."""

import logging
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Generic
from uuid import UUID

from sqlalchemy import Engine, Update, func, select, update
from sqlalchemy.exc import OperationalError

from app.access.quotas import check_bytes
from app.access.vault import Vault
from app.db.leases import MAX_ATTEMPTS, BrokenOff, claim_due, is_due, wait_after
from app.db.session import TenantEngine, transaction
from app.db.tables import ConnectionRow
from app.domain.vocabulary import ResourceStatus
from app.egress.client import EgressClient
from app.errors import EgressFailure, InputFailure, MeasureFailure, QuotaExceeded, SalienceError
from app.http.wake_up import wake_worker
from app.imports.claims import LEASE, Claim, ImportLost, Means
from app.imports.nouns import Imported, Noun, Row
from app.imports.storing import Fetched
from app.imports.turns import MustEnd, Turn, TurnOver
from app.lanes import Lanes
from app.queue import TaskQueue
from app.registries.base import Registry
from app.settings import Settings
from app.sources.registries import folders_of, registry_of
from app.storage.blobs import BlobStore
from app.uploads.content import taking_over
from app.webhooks.outbox import tell

logger = logging.getLogger(__name__)

THE_IMPORT = "The import"


def stays(*, goes_on: bool) -> bool:
    """Of a fetch whose lane nobody else waits for."""
    del goes_on
    return False


@dataclass(frozen=True)
class Importer(Generic[Imported, Row]):
    """Brings resources of one noun from ``fetching`` to ``validating``, ``needs_description`` or ``rejected``."""

    noun: Noun[Imported, Row]
    engine: Engine
    vault: Vault
    blobs: BlobStore
    queue: TaskQueue
    settings: Settings

    def lanes(self) -> Lanes[Claim]:
        lanes: Lanes[Claim] = Lanes(
            self.noun.name, self.claim, lambda claim: self.work(claim, partial(lanes.must_end, claim)), self.waits
        )
        return lanes

    def waits(self, full: frozenset[UUID]) -> bool:
        """Whether an import of another tenant is due."""
        return is_due(self.engine, self.noun.imports, full)

    def claim(self, full: frozenset[UUID]) -> Claim | None:
        """The one that is due the longest, of a tenant that has room."""
        found = claim_due(self.engine, self.noun.imports, full, LEASE)
        if found is None:
            return None
        resource_id: UUID = getattr(found, self.noun.key.key)
        where = (found.connection_id, found.uri)
        return Claim(resource_id, found.tenant_id, *where, found.attempts, found.turns, found.unexplained)

    def work(self, claim: Claim, must_end: MustEnd = stays) -> None:
        """One attempt, and what becomes of it. Raises OperationalError: then the lease runs out."""
        try:
            _check_explained(claim)
            self._accept(claim, self._fetch(claim, must_end))
        except ImportLost:
            return
        except TurnOver:
            self._wait(claim, timedelta(0), unexplained=0, turns=claim.turns + 1)
        except SalienceError as failure:
            if _may_pass(failure) and claim.tries < MAX_ATTEMPTS:
                logger.info("the import of %s waits: %s", claim.resource_id, failure.code)
                self._wait(claim, wait_after(claim.tries), unexplained=0)
            else:
                self._reject(claim, failure)
        except OperationalError:
            raise
        except Exception as error:
            logger.exception("the import of %s broke off", claim.resource_id)
            broken = BrokenOff(THE_IMPORT, claim.unexplained, error)
            if broken.is_given_up:
                self._reject(claim, _failed(broken))
            else:
                self._wait(claim, wait_after(claim.unexplained), unexplained=claim.unexplained)

    def _fetch(self, claim: Claim, must_end: MustEnd) -> Fetched:
        turn = Turn(partial(self._renew, claim), must_end, self.settings.import_seconds)
        with EgressClient.from_settings(self.settings) as client:
            client.call_first(turn)
            means = Means(self.engine, self.blobs, self.settings, claim, turn)
            fetched = self.noun.fetch(self._registry(claim, client), means)
        # Whatever cannot be stored would be fetched again and again.
        fetched.check_storable()
        return fetched

    def _registry(self, claim: Claim, client: EgressClient) -> Registry:
        if claim.connection_id is None:
            return folders_of(claim.tenant_id, self.settings)
        with transaction(TenantEngine(self.engine, claim.tenant_id)) as session:
            connection = session.scalar(select(ConnectionRow).where(ConnectionRow.id == claim.connection_id))
        if connection is None:
            raise ImportLost
        return registry_of(connection, self.vault, client)

    def _accept(self, claim: Claim, fetched: Fetched) -> None:
        tenant, blob = TenantEngine(self.engine, claim.tenant_id), fetched.blob
        with transaction(tenant) if blob is None else taking_over(tenant, self.blobs, blob) as session:
            imported = session.get(self.noun.imports, claim.resource_id, with_for_update=True)
            row = session.get(self.noun.rows, claim.resource_id, with_for_update=True)
            if imported is None or row is None or imported.attempts != claim.attempt:
                raise ImportLost
            row.problem = None
            row.content_digest, row.content_size = (None, None) if blob is None else (blob.digest, blob.size)
            version = fetched.version
            told = {"name": version.name, "version": version.version or None, "file": fetched.file}
            row.source, imported.next_at = {**(row.source or {}), **told}, None
            is_complete = self.noun.take(row, imported, fetched)
            session.flush()
            check_bytes(session, self.settings)
        self._forget(claim)
        if is_complete:
            wake_worker(self.queue, self.noun.task, claim.resource_id)

    def _renew(self, claim: Claim) -> None:
        """Raises ImportLost."""
        renewed = self.of(claim).values(next_at=func.clock_timestamp() + LEASE).returning(self.noun.key)
        with transaction(self.engine) as session:
            if session.execute(renewed).one_or_none() is None:
                raise ImportLost

    def _wait(self, claim: Claim, wait: timedelta, **counts: int) -> None:
        later = func.clock_timestamp() + wait
        with transaction(self.engine) as session:
            session.execute(self.of(claim).values(next_at=later, **counts))

    def _reject(self, claim: Claim, failure: SalienceError) -> None:
        logger.info("%s is not imported: %s", claim.resource_id, failure.code)
        with transaction(self.engine) as session:
            if session.execute(self.of(claim).values(next_at=None).returning(self.noun.key)).one_or_none():
                self.noun.forget(session, session.get_one(self.noun.imports, claim.resource_id))
                row = session.get_one(self.noun.rows, claim.resource_id, with_for_update=True)
                row.status, row.problem = ResourceStatus.REJECTED, failure.to_problem()
                tell(session, claim.tenant_id, self.noun.looked_at(row))
        self._forget(claim)

    def _forget(self, claim: Claim) -> None:
        """What was kept in case the fetch would have to go on; a sweep finds what cannot be deleted now."""
        partials = self.blobs.partials(str(claim.resource_id))
        if partials is not None:
            with suppress(SalienceError):
                partials.forget()

    def of(self, claim: Claim) -> Update:
        """Its row, while it is this process's."""
        imports = self.noun.imports
        return update(imports).where(self.noun.key == claim.resource_id, imports.attempts == claim.attempt)


def _may_pass(failure: SalienceError) -> bool:
    """Whether another attempt may end otherwise."""
    if isinstance(failure, EgressFailure):
        return failure.passing
    return not isinstance(failure, InputFailure | QuotaExceeded | MeasureFailure)


def _check_explained(claim: Claim) -> None:
    """Raises MeasureFailure where the attempts before this one were too many that nobody can explain."""
    before = BrokenOff(THE_IMPORT, claim.unexplained - 1)
    if before.is_given_up:
        raise _failed(before)


def _failed(broken: BrokenOff) -> MeasureFailure:
    """It is no fault of whoever asked for the import."""
    way_out = "Upload the content instead, or register it again once that is mended."
    return MeasureFailure("import-failed", f"{broken} {way_out}")
