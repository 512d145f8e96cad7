"""Versions, aliases and tags that no event told of: found by asking, in their order, and only since the policy."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import select, update

from app.access.vault import Vault
from app.db.session import transaction
from app.db.tables import DEFAULT_TENANT, PolicyRow, PolicyRunRow
from app.policies.schemas import PolicyChange
from app.policies.service import change_policy
from app.policies.sweep import Sweeper
from app.settings import Settings
from tests.registries.met_versions import Met, met
from tests.registries.recorded_mlflow import RecordedMlflow, recorded_mlflow

MATCH: dict[str, Any] = {"match": {"model": "faces-*"}}


@pytest.fixture
def mlflow() -> Iterator[RecordedMlflow]:
    with recorded_mlflow() as server:
        server.page = 2
        yield server


@pytest.fixture
def rows(database_url: str, mlflow: RecordedMlflow) -> Iterator[Met]:
    with met(database_url, mlflow.url, **MATCH) as rows:
        yield rows


def sweep(rows: Met) -> None:
    """As often as it is due at once."""
    settings = Settings(sweep_seconds=0.001, allowed_networks=frozenset({"127.0.0.1/32"}))
    sweeper = Sweeper(rows.engine, Vault(Fernet.generate_key().decode()), settings)
    time.sleep(0.01)
    claim = sweeper.claim(frozenset())
    assert claim is not None
    sweeper.work(claim)
    assert sweeper.claim(frozenset({DEFAULT_TENANT})) is None


def make(mlflow: RecordedMlflow, name: str, version: str, seconds: int, **tags: str) -> None:
    """So many seconds from now: before the policy, or after it."""
    made = int((datetime.now(UTC) + timedelta(seconds=seconds)).timestamp() * 1000)
    mlflow.versions[name, version] = {"files": {}, "tags": tags, "created_ms": made}


def found(rows: Met) -> list[tuple[str, str]]:
    """In the order in which they were begun."""
    row = PolicyRunRow
    with transaction(rows.engine) as session:
        told = session.execute(select(row.model_name, row.version).order_by(row.created_at, row.id))
        return [(name, version) for name, version in told]


def test_what_is_newer_than_the_policy_the_oldest_first(rows: Met, mlflow: RecordedMlflow) -> None:
    """Five versions on three pages, and between them those of other models; a second sweep finds none."""
    make(mlflow, "faces-old", "1", -3600)
    for number in (1, 3, 2, 5, 4):
        make(mlflow, "faces-new", str(number), 60 + number)
        make(mlflow, "digits", str(number), 60 + number)
        time.sleep(0.002)
    for _ in range(2):
        sweep(rows)
        assert found(rows) == [("faces-new", version) for version in "12345"]
    assert any("page_token=4" in path for path, _ in mlflow.asked)
    assert all("LIKE" in path for path, _ in mlflow.asked)


def test_a_sweep_that_breaks_off_goes_as_far_back_again(rows: Met, mlflow: RecordedMlflow) -> None:
    make(mlflow, "faces-new", "1", 60)
    mlflow.down = True
    sweep(rows)
    with rows.session() as session:
        assert session.get_one(PolicyRow, rows.policy_id).swept_to is None
    mlflow.down = False
    sweep(rows)
    assert found(rows) == [("faces-new", "1")]
    with rows.session() as session:
        assert session.get_one(PolicyRow, rows.policy_id).swept_to is not None


def test_as_far_back_as_the_last_good_sweep(rows: Met, mlflow: RecordedMlflow) -> None:
    """However long nobody swept; what is older is not asked for again."""
    long_ago = datetime.now(UTC) - timedelta(days=30)
    for number in range(1, 6):
        make(mlflow, "faces-new", str(number), -86_400 * number)
    with rows.session() as session:
        session.execute(update(PolicyRow).values(matched_since=long_ago, swept_to=long_ago + timedelta(days=26)))
    sweep(rows)
    assert found(rows) == [("faces-new", version) for version in "4321"]
    mlflow.asked.clear()
    sweep(rows)
    assert len(mlflow.asked) == 1
    assert len(found(rows)) == 4


def test_a_wider_match_looks_from_then_on(rows: Met, mlflow: RecordedMlflow) -> None:
    make(mlflow, "faces-new", "1", 0)
    sweep(rows)
    make(mlflow, "digits", "1", 0)
    time.sleep(0.01)
    with rows.session() as session:
        policy = session.get_one(PolicyRow, rows.policy_id)
        change_policy(session, policy, PolicyChange.model_validate({"name": "renamed"}))
        before = policy.matched_since
        change_policy(session, policy, PolicyChange.model_validate({"match": {"model": "*"}}))
        assert policy.matched_since > before
    make(mlflow, "digits", "2", 60)
    sweep(rows)
    assert found(rows) == [("faces-new", "1"), ("digits", "2")]


@pytest.mark.parametrize("kind", ["alias", "tag"])
def test_aliases_and_tags_have_no_time(rows: Met, mlflow: RecordedMlflow, kind: str) -> None:
    """The first sweep notes those that are there; what is set later is found, also on old versions."""
    event = {"alias": "model_version_alias.created", "tag": "model_version_tag.set"}[kind]
    rows.policy(match={"model": "faces-*", "events": [event], "aliases": ["cand*"], "tags": {}})
    if kind == "tag":
        rows.policy(match={"model": "faces-*", "events": [event], "tags": {"stage": "re*"}})

    def put(name: str, version: str, value: str) -> None:
        if kind == "alias":
            mlflow.aliases[name, {"ready": "candidate", "other": "champion"}[value]] = version
        else:
            mlflow.tags(name, version)["stage"] = value

    for number in ("1", "2", "3"):
        make(mlflow, "faces-new", number, -3600)
    make(mlflow, "digits", "1", -3600)
    put("faces-new", "1", "ready")
    sweep(rows)
    assert found(rows) == []
    put("faces-new", "3", "other")
    put("digits", "1", "ready")
    sweep(rows)
    assert found(rows) == []
    put("faces-new", "2", "ready")
    sweep(rows)
    assert found(rows) == [("faces-new", "2")]
    sweep(rows)
    assert len(found(rows)) == 1
