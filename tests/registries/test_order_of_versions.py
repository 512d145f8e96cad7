"""The order of versions is their registry's, whichever was met first; and a version made anew is another."""

from collections.abc import Iterator
from uuid import UUID

import pytest
from sqlalchemy import select

from app.db.identifiers import new_id
from app.db.tables import HookDeliveryRow, HookRow, ModelImportRow, ModelRow, PolicyRow, PolicyRunRow
from app.domain.vocabulary import AuditStatus, ResourceStatus, RunStage
from app.egress.addresses import AddressGuard
from app.egress.client import EgressClient
from app.history.repository import newest_versions
from app.hooks.events import RegistryEvent, VersionEvent
from app.hooks.service import shown
from app.policies.baselines import baseline_of
from app.policies.dispatch import dispatch
from app.policies.other_versions import audited_versions, version_before
from app.policies.runs import begin_again, begin_run
from app.policies.schemas import Policy
from app.registries.mlflow import MlflowRegistry
from tests.registries.met_versions import FIRST, HOUR, NAME, Met, met
from tests.registries.recorded_mlflow import RecordedMlflow, recorded_mlflow
from tests.registries.signing import delivery


@pytest.fixture
def mlflow() -> Iterator[RecordedMlflow]:
    with recorded_mlflow() as server:
        yield server


@pytest.fixture
def rows(database_url: str, mlflow: RecordedMlflow) -> Iterator[Met]:
    with met(database_url, mlflow.url) as rows:
        yield rows


def registered(mlflow: RecordedMlflow, version: str, hour: int, name: str = NAME) -> None:
    made = int((FIRST + hour * HOUR).timestamp() * 1000)
    mlflow.versions[name, version] = {"files": {}, "tags": {}, "created_ms": made}


def baseline(rows: Met, run_id: UUID, mlflow: RecordedMlflow, named: str | None) -> UUID | None:
    rows.policy(baseline=named, gate=str(new_id()))
    with rows.session() as session, EgressClient(AddressGuard.of(["127.0.0.1/32"])) as client:
        policy = Policy.of(session.get_one(PolicyRow, rows.policy_id))
        run = session.get_one(PolicyRunRow, run_id)
        return baseline_of(audited_versions(session, run), NAME, policy, MlflowRegistry(client, mlflow.url, {}))


def test_baselines_of_three_kinds(rows: Met, mlflow: RecordedMlflow) -> None:
    """Met in the order 3, 1, 2, as after an outage."""
    runs = {version: rows.audited(version, int(version)) for version in ("3", "1", "2")}
    audits = {version: rows.row(run).audit_id for version, run in runs.items()}
    before = {version: baseline(rows, run, mlflow, "previous") for version, run in runs.items()}
    assert before == {"1": None, "2": audits["1"], "3": audits["2"]}
    for version in runs:
        registered(mlflow, version, int(version))
    assert baseline(rows, runs["1"], mlflow, "alias:champion") is None
    mlflow.aliases[NAME, "champion"] = "2"
    assert baseline(rows, runs["1"], mlflow, "alias:champion") == audits["2"]
    assert baseline(rows, runs["3"], mlflow, "alias:champion") == audits["2"]
    fixed = new_id()
    assert baseline(rows, runs["1"], mlflow, str(fixed)) == fixed
    assert baseline(rows, runs["1"], mlflow, None) is None
    registered(mlflow, "2", 9)  # deleted, and made anew: it has no audit yet
    assert baseline(rows, runs["1"], mlflow, "alias:champion") is None


def test_a_schedule_and_the_history_go_by_it_too(rows: Met) -> None:
    runs = {version: rows.audited(version, int(version)) for version in ("3", "1", "2")}
    with rows.session() as session:
        assert [model.version for model in newest_versions(session, NAME, 10)] == ["1", "2", "3"]
        assert begin_again(session, rows.policy_id) == 1
    assert {version: rows.row(run).stage for version, run in runs.items()} == {
        "1": "done",
        "2": "done",
        "3": "importing",
    }


def test_older_versions_come_first(rows: Met) -> None:
    """Whoever was not asked yet may be older; one that waits for people is not waited for."""
    last = rows.run("3", 3, stage=RunStage.IMPORTING)
    rows.run("4", 4, stage=RunStage.IMPORTING)
    rows.run("0", 0, stage=RunStage.FAILED)

    def waits_for() -> str | None:
        with rows.session() as session:
            return version_before(session, session.get_one(PolicyRunRow, last))

    assert waits_for() is None
    middle = rows.audited("2", 2, stage=RunStage.MOVING)
    assert waits_for() == "2"
    with rows.session() as session:
        session.get_one(PolicyRunRow, middle).stage = RunStage.DONE
    unknown = rows.run("1", None, stage=RunStage.IMPORTING)
    assert waits_for() == "1"
    with rows.session() as session:
        model = ModelRow(id=new_id(), name=NAME, format="", preprocessing={}, status=ResourceStatus.NEEDS_DESCRIPTION)
        session.add(model)
        session.flush()
        run = session.get_one(PolicyRunRow, unknown)
        run.registered_at, run.model_id = FIRST, model.id
    assert waits_for() is None


def test_models_have_the_registrys_names_and_are_shared(rows: Met, mlflow: RecordedMlflow) -> None:
    """Version 7 is 7, of two policies once; of what has no time, that of the first meeting."""
    registered(mlflow, "7", 7)
    registered(mlflow, "8", 8)
    mlflow.versions[NAME, "8"]["created_ms"] = 0
    with rows.session() as session:
        first = session.get_one(PolicyRow, rows.policy_id)
        session.add(PolicyRow(id=new_id(), name="q", connection_id=first.connection_id, definition=first.definition))
        session.flush()
        policies = session.scalars(select(PolicyRow.id)).all()
        events = [RegistryEvent(VersionEvent.CREATED, NAME, version) for version in ("7", "8")]
        runs = [begin_run(session, policy, event) for event in events for policy in policies]
    found = [rows.take_on(run, times=2) for run in runs]
    assert [run.reason for run in found] == [None] * 4
    assert [run.registered_at for run in found[:2]] == [FIRST + 7 * HOUR] * 2
    assert found[2].registered_at == found[3].registered_at == min(found[2].created_at, found[3].created_at)
    with rows.session() as session:
        models = session.execute(select(ModelRow.version, ModelRow.registered_at, ModelRow.tags)).all()
        assert len(session.scalars(select(ModelImportRow)).all()) == 2
    assert sorted(models) == [
        ("7", FIRST + 7 * HOUR, ["policy:p", "policy:q"]),
        ("8", found[2].registered_at, ["policy:p", "policy:q"]),
    ]


def told(rows: Met, version: str, hour: int) -> UUID:
    """A delivery that says when the version was made."""
    body = delivery("model_version", "created", name=NAME, version=version)
    at = (FIRST + hour * HOUR).isoformat()
    body = body.replace(b"2026-11-30T02:04:41.248379+00:00", at.encode())
    with rows.session() as session:
        row = HookDeliveryRow(id=new_id(), hook_id=rows.hook_id, key=str(new_id()), event="e", body=body)
        session.add(row)
        session.flush()
        return row.id


def runs_of(rows: Met, delivery_id: UUID) -> list[UUID]:
    dispatch(rows.engine)
    with rows.session() as session:
        return [UUID(one) for one in session.get_one(HookDeliveryRow, delivery_id).runs or ()]


def test_a_version_that_is_made_anew_is_another(rows: Met, mlflow: RecordedMlflow) -> None:
    """Numbers begin at 1 again; an event that only comes late is of the version that is there."""
    registered(mlflow, "1", 1)
    old = rows.audited("1", 1, outcome="audited")
    first, late = told(rows, "1", 1), told(rows, "1", 2)
    assert runs_of(rows, first) == [old]
    (doubtful,) = runs_of(rows, late)
    assert doubtful != old
    rows.work(doubtful)
    assert runs_of(rows, late) == [old]
    registered(mlflow, "1", 5)
    (new,) = runs_of(rows, told(rows, "1", 5))
    assert rows.take_on(new).registered_at == FIRST + 5 * HOUR
    assert runs_of(rows, told(rows, "1", 5)) == [new]
    with rows.session() as session:
        assert {run.id for run in session.scalars(select(PolicyRunRow))} == {old, new}
        deliveries = [session.get_one(HookDeliveryRow, one) for one in (first, late)]
        assert [shown(session, one).audit_id for one in deliveries] == [rows.row(old).audit_id] * 2


def test_a_later_audit_leaves_old_deliveries_as_they_are(rows: Met) -> None:
    run = rows.audited("1", 1, outcome="audited", outcome_reason="told")
    arrived = told(rows, "1", 1)
    assert runs_of(rows, arrived) == [run]

    def outcome() -> tuple[str, str | None]:
        with rows.session() as session:
            found = shown(session, session.get_one(HookDeliveryRow, arrived))
            return found.outcome, found.reason

    assert outcome() == ("audited", "told")
    with rows.session() as session:
        assert begin_again(session, rows.policy_id) == 1
    assert outcome() == ("audited", "told")
    rows.policy(gate=None)
    with rows.session() as session:
        session.get_one(PolicyRunRow, run).stage = RunStage.AUDITING
        session.merge(rows.audit_of(run)).status = AuditStatus.FAILED
    assert rows.take_on(run).stage == RunStage.FAILED
    assert outcome() == ("audited", "told")


def test_who_is_told_of_a_version_that_no_event_told_of(rows: Met) -> None:
    """The hook of its connection; a later event makes it its own."""
    run = rows.run("9", None, stage=RunStage.IMPORTING)
    failed = rows.take_on(run)
    assert (failed.stage, failed.outcome) == (RunStage.FAILED, "failed")
    assert "does not know it" in str(failed.reason)
    with rows.session() as session:
        assert session.get_one(HookRow, rows.hook_id).failing_since is not None
    assert failed.hook_id is None
    assert runs_of(rows, told(rows, "9", 9)) == [run]
    assert rows.row(run).hook_id == rows.hook_id
