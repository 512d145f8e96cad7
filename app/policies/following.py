"""Takes policies' runs on by one stage after the other. Each stage may be tried again."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import func
from sqlalchemy.exc import OperationalError

from app.db.leases import MAX_ATTEMPTS, BrokenOff, claim_due, wait_after
from app.db.session import transaction
from app.db.tables import AuditRow, PolicyRunRow
from app.domain.vocabulary import LIVE, AuditStatus, RunStage
from app.errors import EgressFailure, QuotaExceeded, RequestError, SalienceError, Unavailable
from app.hooks.schemas import HookOutcome
from app.lanes import Lanes
from app.policies.failing import note_failure
from app.policies.importing import import_version
from app.policies.run_log import NOT_LOGGED
from app.policies.stages import Claim, Means, NotYet, RunEnds, end, go_on, locked
from app.policies.telling import close, log, move, write

logger = logging.getLogger(__name__)

LEASE = timedelta(seconds=300)
"""Longer than a stage may take: of a registry that answers slowly, some twenty calls."""


@dataclass(frozen=True)
class Follower(Means):
    """Takes on runs that are due."""

    def lanes(self) -> Lanes[Claim]:
        return Lanes("follower", self.claim, self.work)

    def claim(self, full: frozenset[UUID]) -> Claim | None:
        """The one that is due the longest, of a tenant that has room."""
        found = claim_due(self.engine, PolicyRunRow, full, LEASE)
        if found is None:
            return None
        return Claim(found.id, found.tenant_id, found.stage, found.attempts, found.unexplained)

    def work(self, claim: Claim) -> None:
        """One stage, and what becomes of it. Raises OperationalError: then the lease runs out."""
        try:
            _check_explained(claim)
            STAGES[claim.stage](self, claim)
        except NotYet as waiting:
            # Not an attempt: an audit may take days.
            later = func.clock_timestamp() + timedelta(seconds=waiting.seconds)
            self.put(claim, attempts=0, next_at=later, reason=waiting.detail)
        except (QuotaExceeded, Unavailable) as failure:
            self._retry(claim, failure)
        except (RunEnds, RequestError) as failure:
            self._fail(claim, failure)
        except SalienceError as failure:
            self._retry(claim, failure)
        except OperationalError:
            raise
        except Exception as error:
            logger.exception("the policy's run %s broke off", claim.run_id)
            self._break_off(claim, error)

    def _break_off(self, claim: Claim, error: Exception) -> None:
        broken = BrokenOff("The run", claim.unexplained, error)
        if broken.is_given_up:
            self._fail(claim, RunEnds(str(broken)))
            return
        later = func.clock_timestamp() + wait_after(claim.unexplained)
        self.put(claim, next_at=later, reason=str(broken), unexplained=claim.unexplained)

    def _retry(self, claim: Claim, failure: SalienceError) -> None:
        gives_up = isinstance(failure, EgressFailure) and not failure.passing
        if gives_up or claim.attempt >= MAX_ATTEMPTS:
            self._fail(claim, failure)
            return
        self.put(claim, next_at=func.clock_timestamp() + wait_after(claim.attempt), reason=failure.detail)

    def _fail(self, claim: Claim, failure: SalienceError) -> None:
        with transaction(self.engine) as session:
            if claim.stage == RunStage.LOGGING:
                close(session, claim, f"{NOT_LOGGED}: {failure.detail}")
                return
            failed = end(session, claim, HookOutcome.FAILED, failure.detail)
            if failed is not None:
                note_failure(session, failed, failure.to_problem())


def _check_explained(claim: Claim) -> None:
    """Raises RunEnds where the attempts before this one were too many that nobody can explain."""
    before = BrokenOff("The run", claim.unexplained - 1)
    if before.is_given_up:
        raise RunEnds(str(before))


def await_audit(means: Means, claim: Claim) -> None:
    """Raises NotYet, RunEnds."""
    with means.tenant(claim) as session:
        run, _ = locked(session, claim)
        audit = session.get(AuditRow, run.audit_id) if run.audit_id else None
        if audit is None:
            raise RunEnds("The audit was deleted.")
        if audit.status in LIVE:
            raise NotYet(f"The audit is {audit.status}.", 2.0)
        if audit.status != AuditStatus.SUCCEEDED:
            raise RunEnds(f"The audit {audit.status}: {(audit.problem or {}).get('detail', '')}".strip(": "))
        go_on(run, RunStage.WRITING)


STAGES: dict[str, Callable[[Means, Claim], None]] = {
    RunStage.IMPORTING: import_version,
    RunStage.AUDITING: await_audit,
    RunStage.WRITING: write,
    RunStage.MOVING: move,
    RunStage.LOGGING: log,
}
"""In their order."""
