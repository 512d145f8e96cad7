"""What the stages of a run share: who has it, what they work with, how they put it down."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Engine, case, func, update
from sqlalchemy.orm import Session

from app.access.vault import Vault
from app.db.session import TenantEngine, transaction
from app.db.tables import ConnectionRow, PolicyRow, PolicyRunRow
from app.domain.vocabulary import RunStage
from app.errors import SalienceError
from app.hooks.schemas import HookOutcome
from app.policies.run_log import DrawReport
from app.policies.schemas import Policy
from app.queue import TaskQueue
from app.registries.base import Registry
from app.settings import Settings
from app.sources.registries import connected


class RunEnds(SalienceError):
    """Nothing more follows; the detail says why."""

    def __init__(self, detail: str) -> None:
        super().__init__("run-ends", detail)


class NotYet(SalienceError):
    """Something that the run waits for is still under way."""

    def __init__(self, detail: str, seconds: float = 1.0) -> None:
        super().__init__("not-yet", detail)
        self.seconds = seconds


@dataclass(frozen=True)
class Claim:
    """A run that this process takes on, as long as the count of attempts stays its own."""

    run_id: UUID
    tenant_id: UUID
    stage: str
    attempt: int
    unexplained: int
    """Attempts in a row, this one included, of which nobody told why they ended."""


@dataclass(frozen=True)
class Means:
    """What stages work with."""

    engine: Engine
    vault: Vault
    queue: TaskQueue
    settings: Settings
    draw_report: DrawReport

    def tenant(self, claim: Claim) -> AbstractContextManager[Session]:
        """A transaction of the run's tenant."""
        return transaction(TenantEngine(self.engine, claim.tenant_id))

    def registry(self, connection: ConnectionRow) -> AbstractContextManager[Registry]:
        """Outside of transactions: it may take long to answer."""
        return connected(connection, self.vault, self.settings)

    def put(self, claim: Claim, **values: object) -> None:
        with transaction(self.engine) as session:
            put(session, claim, **values)


def put(session: Session, claim: Claim, **values: object) -> PolicyRunRow | None:
    """Only while the run is this process's; None where it is another's."""
    mine = update(PolicyRunRow).where(PolicyRunRow.id == claim.run_id, PolicyRunRow.attempts == claim.attempt)
    return session.scalars(mine.values(**{"unexplained": 0, **values}).returning(PolicyRunRow)).one_or_none()


def end(
    session: Session, claim: Claim, outcome: HookOutcome, reason: str | None, **found: object
) -> PolicyRunRow | None:
    """What its events came to is settled the first time; a later audit by the schedule does not change it."""
    row = PolicyRunRow
    settled = {
        "outcome": func.coalesce(row.outcome, outcome.value),
        "outcome_reason": case((row.outcome.is_(None), reason), else_=row.outcome_reason),
    }
    stage = RunStage.DONE if outcome is HookOutcome.AUDITED else RunStage.FAILED
    return put(session, claim, stage=stage, next_at=None, reason=reason, **settled, **found)


def locked(session: Session, claim: Claim) -> tuple[PolicyRunRow, Policy]:
    """Raises NotYet where another process has taken it on meanwhile: that one writes what becomes of it."""
    run = session.get(PolicyRunRow, claim.run_id, with_for_update=True)
    if run is None or (run.attempts, run.stage) != (claim.attempt, claim.stage):
        raise NotYet("Another process has it.")
    return run, Policy.of(session.get_one(PolicyRow, run.policy_id))


def go_on(run: PolicyRunRow, stage: str) -> None:
    """With the next stage, at once."""
    run.stage, run.attempts, run.unexplained, run.next_at = stage, 0, 0, func.clock_timestamp()
