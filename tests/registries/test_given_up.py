"""Runs of policies that break off again and again are given up, and their deliveries say so."""

from collections.abc import Iterator

import pytest
from sqlalchemy import func

from app.db.identifiers import new_id
from app.db.leases import MOST_UNEXPLAINED
from app.db.tables import HookDeliveryRow, HookRow, PolicyRunRow
from app.domain.vocabulary import RunStage
from app.hooks.schemas import HookOutcome
from app.hooks.service import shown
from app.policies.schemas import PolicyRun
from tests.registries.met_versions import Met, met


@pytest.fixture
def rows(database_url: str) -> Iterator[Met]:
    with met(database_url, "http://127.0.0.1:1") as rows:
        yield rows


def begun(rows: Met, version: str) -> tuple[PolicyRunRow, HookDeliveryRow]:
    """A run that is due, and the delivery that told of its version."""
    run_id = rows.run(version, None, stage=RunStage.IMPORTING, next_at=func.now(), hook_id=rows.hook_id)
    with rows.session() as session:
        told = {"key": version, "event": "e", "body": b"", "runs": [str(run_id)]}
        session.add(delivery := HookDeliveryRow(id=new_id(), hook_id=rows.hook_id, **told))
    return rows.row(run_id), delivery


def due(rows: Met, run: PolicyRunRow) -> None:
    """As if its time, or the lease of whoever had it, had come."""
    with rows.session() as session:
        session.get_one(PolicyRunRow, run.id).next_at = func.now()


def told(rows: Met, run: PolicyRunRow, delivery: HookDeliveryRow) -> tuple[RunStage, HookOutcome, str]:
    """What run and delivery say, which is the same."""
    with rows.session() as session:
        of_run = PolicyRun.of(session.get_one(PolicyRunRow, run.id))
        of_delivery = shown(session, session.get_one(HookDeliveryRow, delivery.id))
    assert of_run.reason == of_delivery.reason
    return of_run.stage, of_delivery.outcome, of_run.reason or ""


def test_an_error_that_nobody_expects(rows: Met) -> None:
    """Such as a policy that another version of the service wrote."""
    rows.policy(match="of another version")
    (run, delivery), follower = begun(rows, "1"), rows.follower()
    for attempt in range(1, MOST_UNEXPLAINED + 1):
        due(rows, run)
        claim = follower.claim(frozenset())
        assert claim is not None
        follower.work(claim)
        stage, outcome, reason = told(rows, run, delivery)
        assert f"broke off {attempt} times in a row, the last time by an error that nobody" in reason
        assert "(ValidationError)" in reason
        is_last = attempt == MOST_UNEXPLAINED
        assert (stage, outcome) == (("failed", "failed") if is_last else ("importing", "pending"))
    with rows.session() as session:
        assert session.get_one(HookRow, rows.hook_id).failing_since is not None
    assert follower.claim(frozenset()) is None


def test_a_process_that_is_lost_in_it(rows: Met) -> None:
    (run, delivery), follower = begun(rows, "1"), rows.follower()
    for _ in range(MOST_UNEXPLAINED):
        due(rows, run)
        assert follower.claim(frozenset()) is not None
    due(rows, run)
    claim = follower.claim(frozenset())
    assert claim is not None
    follower.work(claim)
    stage, outcome, reason = told(rows, run, delivery)
    assert (stage, outcome) == ("failed", "failed")
    assert f"broke off {MOST_UNEXPLAINED} times in a row, the last time its process was lost" in reason
