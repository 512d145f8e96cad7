"""The alias of a policy: given once, to the newest version whose gate passes, and never back over somebody's hand."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

from app.db.leases import MAX_ATTEMPTS
from app.db.tables import PolicyRunRow
from app.domain.vocabulary import RunStage
from app.policies.runs import begin_again
from tests.registries.met_versions import FIRST, HOUR, NAME, Met, met
from tests.registries.recorded_mlflow import RecordedMlflow, recorded_mlflow

ALIAS = "audited"
GIVES: dict[str, Any] = {"write_back": {"alias_on_pass": ALIAS}}


@pytest.fixture
def mlflow() -> Iterator[RecordedMlflow]:
    with recorded_mlflow() as server:
        for number in (1, 2, 3):
            made = int((FIRST + number * HOUR).timestamp() * 1000)
            server.versions[NAME, str(number)] = {"files": {}, "tags": {}, "created_ms": made}
        yield server


@pytest.fixture
def rows(database_url: str, mlflow: RecordedMlflow) -> Iterator[Met]:
    with met(database_url, mlflow.url, **GIVES) as rows:
        yield rows


def holder(mlflow: RecordedMlflow) -> str | None:
    return mlflow.aliases.get((NAME, ALIAS))


def given(mlflow: RecordedMlflow) -> list[str]:
    """Versions that were given the alias, one after the other."""
    return [body["version"] for body in mlflow.written if body.get("alias") == ALIAS]


def write(rows: Met, version: str, verdict: str = "passed") -> UUID:
    """Of a version whose audit has just succeeded: verdict, alias, and the run that it came from."""
    run = rows.audited(version, int(version), verdict, stage=RunStage.WRITING)
    assert rows.take_on(run, times=3).stage == RunStage.DONE
    return run


def test_forwards_only(rows: Met, mlflow: RecordedMlflow) -> None:
    """Versions 1 and 3 pass in their order, 2 late, and one that fails never gets it."""
    notes = [rows.row(write(rows, version)).reason for version in ("1", "3", "2")]
    assert holder(mlflow) == "3"
    assert given(mlflow) == ["1", "3"]
    assert notes == [
        "The version was given the alias audited, which none had.",
        "The version was given the alias audited, from version 1.",
        "The alias audited stays with version 3, which is not older.",
    ]
    tags = [mlflow.tags(NAME, version)["salience.verdict"] for version in ("1", "2", "3")]
    assert tags == ["passed"] * 3


def test_a_gate_that_fails_moves_nothing(rows: Met, mlflow: RecordedMlflow) -> None:
    write(rows, "1")
    failed = write(rows, "2", "failed")
    assert (holder(mlflow), rows.row(failed).reason) == ("1", None)
    assert mlflow.tags(NAME, "2")["salience.verdict"] == "failed"


def audit_again(rows: Met, run: UUID) -> PolicyRunRow:
    """By the schedule; the audit passes again."""
    with rows.session() as session:
        assert begin_again(session, rows.policy_id) == 1
        session.get_one(PolicyRunRow, run).stage = RunStage.WRITING
    return rows.take_on(run, times=3)


def test_what_somebody_took_back_stays_so(rows: Met, mlflow: RecordedMlflow) -> None:
    """Whether another version was given the alias, or none; the next version is given it as ever."""
    write(rows, "1")
    run = write(rows, "2")
    assert audit_again(rows, run).reason == "The version has the alias audited."
    mlflow.aliases[NAME, ALIAS] = "1"
    again = audit_again(rows, run)
    assert (again.stage, holder(mlflow)) == (RunStage.DONE, "1")
    assert "was taken from this version" in str(again.reason)
    del mlflow.aliases[NAME, ALIAS]
    assert "no version has it" in str(audit_again(rows, run).reason)
    assert holder(mlflow) is None
    assert given(mlflow) == ["1", "2"]
    write(rows, "3")
    assert holder(mlflow) == "3"


def test_a_log_that_fails_moves_no_alias_again(rows: Met, mlflow: RecordedMlflow) -> None:
    """It is tried again by itself, and given up for good; the verdict stands."""
    write(rows, "1")
    mlflow.refuses_log = True
    run = rows.audited("2", 2, stage=RunStage.WRITING)
    waiting = rows.take_on(run, times=4)
    assert (waiting.stage, holder(mlflow)) == (RunStage.LOGGING, "2")
    mlflow.aliases[NAME, ALIAS] = "1"
    assert rows.take_on(run, times=3).stage == RunStage.LOGGING
    assert holder(mlflow) == "1"
    assert sum(body.get("key") == "salience.verdict" and body["version"] == "2" for body in mlflow.written) == 1
    with rows.session() as session:
        session.get_one(PolicyRunRow, run).attempts = MAX_ATTEMPTS
    done = rows.take_on(run)
    assert (done.stage, done.outcome, holder(mlflow)) == (RunStage.DONE, "audited", "1")
    assert "the run was not told all" in str(done.reason)
    assert given(mlflow) == ["1", "2"]


@pytest.mark.parametrize(("seen_hour", "moves"), [(1, True), (9, False), (None, False)])
def test_a_registry_that_tells_no_times(
    rows: Met, mlflow: RecordedMlflow, seen_hour: int | None, *, moves: bool
) -> None:
    """The holder is older if it was seen here before; of one that never was, nobody knows."""
    mlflow.aliases[NAME, ALIAS] = "1"
    mlflow.versions[NAME, "1"]["created_ms"] = 0
    if seen_hour is not None:
        before = rows.audited("1", seen_hour)
        with rows.session() as session:
            model = session.merge(rows.model_of(before))
            model.source = {"connection_id": str(rows.connection_id), "name": NAME, "version": "1"}
    write(rows, "3")
    assert holder(mlflow) == ("3" if moves else "1")
