"""Asks registries for versions that no event told of: MLflow gives an event up after eight seconds."""

import hashlib
import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import Engine, func, select

from app.access.vault import Vault
from app.db.session import TenantEngine, transaction
from app.db.tables import ConnectionRow, PolicyRow
from app.errors import SalienceError
from app.hooks.events import RegistryEvent, VersionEvent
from app.lanes import Lanes, Size
from app.policies.matching import why_not
from app.policies.runs import begin_run
from app.policies.schemas import Policy
from app.registries.base import Registry, Version, Wanted
from app.registries.uris import uri_of
from app.settings import Settings
from app.sources.registries import connected

logger = logging.getLogger(__name__)

OVERLAP = timedelta(hours=1)
"""So far back of the last good sweep, for clocks that differ and what was being written."""


@dataclass(frozen=True)
class Claim:
    """A policy whose registry this process asks now."""

    policy_id: UUID
    tenant_id: UUID


@dataclass(frozen=True)
class Swept:
    """What a registry has that a policy follows."""

    events: list[RegistryEvent]
    """The oldest first."""
    seen: list[str]
    """Digests of what has no time of its own."""


@dataclass(frozen=True)
class Sweeper:
    """Applies policies to versions that are newer than themselves."""

    engine: Engine
    vault: Vault
    settings: Settings

    def lanes(self) -> Lanes[Claim]:
        return Lanes("sweeper", self.claim, self.work, size=Size(threads=4, per_tenant=1))

    def claim(self, full: frozenset[UUID]) -> Claim | None:
        """The policy that was swept the longest ago. A sweep that fails waits for the next."""
        row, now = PolicyRow, func.clock_timestamp()
        old = now - timedelta(seconds=self.settings.sweep_seconds)
        due = select(row).where(row.swept_at < old, row.tenant_id.not_in(full)).order_by(row.swept_at).limit(1)
        with transaction(self.engine) as session:
            found = session.scalar(due.with_for_update(skip_locked=True))
            if found is None:
                return None
            found.swept_at = now
            return Claim(found.id, found.tenant_id)

    def work(self, claim: Claim) -> None:
        """What the registry has that no run is there for; a sweep that breaks off goes as far back the next time."""
        tenant = TenantEngine(self.engine, claim.tenant_id)
        with transaction(tenant) as session:
            row = session.get(PolicyRow, claim.policy_id)
            connection = session.get(ConnectionRow, row.connection_id) if row else None
        if row is None or connection is None:
            return
        try:
            with connected(connection, self.vault, self.settings) as registry:
                swept = sweep(registry, connection.kind, row)
        except SalienceError as failure:
            logger.info("policy %s is not swept: %s", claim.policy_id, failure.code)
            return
        with transaction(tenant) as session:
            now = session.get(PolicyRow, claim.policy_id, with_for_update=True)
            if now is None or now.matched_since != row.matched_since:
                return
            for event in swept.events:
                begin_run(session, now.id, event)
            now.swept_to, now.seen = row.swept_at, swept.seen


def sweep(registry: Registry, kind: str, row: PolicyRow) -> Swept:
    """Raises EgressFailure.

    Of what has a time, the newer; of aliases and tags, which have none, those that the sweep before did not see. The
    first one only looks at these.
    """
    policy = Policy.of(row)
    after = row.matched_since if row.swept_to is None else max(row.matched_since, row.swept_to - OVERLAP)
    found = [one for one in _present(registry, kind, policy, after) if why_not(policy, one.event) is None]
    known = None if row.seen is None else frozenset(row.seen)
    new = [one for one in found if one.is_new(after, known)]
    new.sort(key=lambda one: one.made_at or datetime.max.replace(tzinfo=UTC))
    return Swept([one.event for one in new], sorted({one.digest for one in found if one.made_at is None}))


@dataclass(frozen=True)
class _Present:
    """That something stands in the registry, as an event would have told it."""

    event: RegistryEvent
    made_at: datetime | None

    @property
    def digest(self) -> str:
        told = [self.event.kind, self.event.model_name, self.event.version, self.event.alias]
        return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:16]

    def is_new(self, after: datetime, known: frozenset[str] | None) -> bool:
        if self.made_at is not None:
            return self.made_at > after
        return known is not None and self.digest not in known


def _present(registry: Registry, kind: str, policy: Policy, after: datetime) -> Iterator[_Present]:
    match = policy.match
    wanted = Wanted(match.model, after, match.tags)
    if VersionEvent.CREATED in match.events:
        for version in registry.made(wanted):
            yield from _as_told(kind, VersionEvent.CREATED, version)
    if VersionEvent.ALIAS_SET in match.events:
        for alias, version in registry.aliases(wanted):
            yield from _as_told(kind, VersionEvent.ALIAS_SET, version, alias)
    if VersionEvent.TAG_SET in match.events and match.tags:
        for version in registry.tagged(wanted):
            yield from _as_told(kind, VersionEvent.TAG_SET, version)


def _as_told(kind: str, what: VersionEvent, version: Version, alias: str | None = None) -> Iterator[_Present]:
    """Nothing of a name that could not be fetched."""
    made_at = version.registered_at if what is VersionEvent.CREATED else None
    try:
        uri_of(kind, version.name, version.version)
        event = RegistryEvent(what, version.name, version.version, version.tags, alias, made_at=made_at)
    except ValueError:
        return
    yield _Present(event, made_at)
