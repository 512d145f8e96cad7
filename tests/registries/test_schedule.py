"""Schedules of policies: which are taken, and that each model's newest version is followed again when one is due."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import null, select

from app.db.identifiers import new_id
from app.db.session import TenantEngine, make_engine, transaction
from app.db.tables import DEFAULT_TENANT, ConnectionRow, PolicyRow, PolicyRunRow
from app.policies.recurring import recur
from app.policies.schedule import check_cron, next_time

MONDAYS = "0 3 * * 1"


def test_mondays_at_three() -> None:
    """As the calendar says: 30 November 2026 is a Monday."""
    monday = datetime(2026, 11, 30, 3, tzinfo=UTC)
    assert next_time(check_cron(MONDAYS), monday - timedelta(seconds=1)) == monday
    assert next_time(MONDAYS, monday) == monday + timedelta(days=7)


@pytest.mark.parametrize(
    "text", ["* * * * *", "0,30 0 1 1 *", "0 0 30 2 *", "0 3 * *", "0 0 3 * * 1", "@daily", "61 0 * * *", ""]
)
def test_schedules_that_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="a schedule"):
        check_cron(text)


def policies_with_runs(tenant: TenantEngine) -> list[PolicyRow]:
    """One that is due, and one that is not; each has met the same versions."""
    past = datetime.now(UTC) - timedelta(days=30)
    with transaction(tenant) as session:
        connection = ConnectionRow(id=new_id(), name="m", kind="mlflow", url="http://127.0.0.1", auth_kind="none")
        session.add(connection)
        session.flush()
        told = {"match": {"model": "*"}, "dataset_id": str(new_id()), "schedule": MONDAYS}
        policies = [
            PolicyRow(id=new_id(), name="p", connection_id=connection.id, definition=told, recurs_at=at)
            for at in (past, datetime.now(UTC) + timedelta(days=1))
        ]
        session.add_all(policies)
        session.flush()
        ids = iter(sorted(new_id() for _ in range(10)))  # of one millisecond they have no order of their own
        runs = [
            PolicyRunRow(
                id=next(ids), policy_id=policy.id, model_name=name, version=version, stage=stage, next_at=null()
            )
            for policy in policies
            for name, version, stage in (
                ("faces", "1", "done"),
                ("faces", "2", "done"),
                ("digits", "1", "failed"),
                ("letters", "1", "done"),
                ("letters", "2", "auditing"),
            )
        ]
        session.add_all(runs)
    return policies


def test_the_newest_version_of_each_model(database_url: str) -> None:
    engine = make_engine(database_url)
    policies = policies_with_runs(TenantEngine(engine, DEFAULT_TENANT))
    assert [recur(engine), recur(engine)] == [2, 0]
    with transaction(engine) as session:
        begun = session.scalars(select(PolicyRunRow).where(PolicyRunRow.next_at.is_not(None))).all()
        found = {(run.policy_id, run.model_name, run.version, run.stage) for run in begun}
        recurs_at = session.get_one(PolicyRow, policies[0].id).recurs_at
    due: UUID = policies[0].id
    assert found == {(due, "faces", "2", "importing"), (due, "digits", "1", "importing")}
    assert recurs_at is not None
    assert timedelta(0) < recurs_at - datetime.now(UTC) <= timedelta(days=7)
    assert (recurs_at.weekday(), recurs_at.hour) == (0, 3)
    engine.dispose()
