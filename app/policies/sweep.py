"""Asks registries for versions that no event told of: MLflow gives an event up after eight seconds."""

import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import Engine, func, select

from app.access.vault import Vault
from app.db.session import TenantEngine, transaction
from app.db.tables import ConnectionRow, PolicyRow
from app.egress.client import EgressClient
from app.errors import SalienceError
from app.hooks.events import RegistryEvent, VersionEvent
from app.lanes import Lanes
from app.policies.matching import why_not
from app.policies.repository import begin_run
from app.policies.schemas import Policy
from app.registries.base import Version
from app.settings import Settings
from app.sources.registries import registry_of

logger = logging.getLogger(__name__)

NEWEST = 200
"""Versions that are looked at; a registry that makes more between two sweeps tells of them by events."""


@dataclass(frozen=True)
class Claim:
    """A policy whose registry this process asks now."""

    policy_id: UUID
    tenant_id: UUID


@dataclass(frozen=True)
class Sweeper:
    """Applies policies to versions that are newer than themselves."""

    engine: Engine
    vault: Vault
    settings: Settings

    def lanes(self) -> Lanes[Claim]:
        return Lanes("sweeper", self.claim, self.work, threads=4, per_tenant=1)

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
        """What the registry's newest versions have that no run is there for."""
        tenant = TenantEngine(self.engine, claim.tenant_id)
        with transaction(tenant) as session:
            row = session.get(PolicyRow, claim.policy_id)
            connection = session.get(ConnectionRow, row.connection_id) if row else None
        if row is None or connection is None:
            return
        policy = Policy.of(row)
        try:
            with EgressClient.from_settings(self.settings) as client:
                versions = registry_of(connection, self.vault, client).newest(NEWEST, policy.match.model)
        except SalienceError as failure:
            logger.info("policy %s is not swept: %s", claim.policy_id, failure.code)
            return
        with transaction(tenant) as session:
            for version in versions:
                event = _as_event(version)
                if _is_newer(version, row.created_at) and why_not(policy, event) is None:
                    begin_run(session, policy.id, event)


def _is_newer(version: Version, made_at: datetime) -> bool:
    return datetime.fromtimestamp(version.created_ms / 1000, UTC) > made_at


def _as_event(version: Version) -> RegistryEvent:
    return RegistryEvent(VersionEvent.CREATED, version.name, version.version, version.tags)
