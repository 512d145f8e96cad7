"""Imports that let others go first: it is no attempt, and they do so between the pages of a listing as well."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import boto3
import pytest
from sqlalchemy import Engine, func

import app.registries.s3_store as module
from app.db.leases import MAX_ATTEMPTS, wait_after
from app.db.session import clock, transaction
from app.db.tables import ModelImportRow, ModelRow
from app.domain.vocabulary import ResourceStatus
from app.imports import turns
from app.imports.importer import Importer
from tests.factories import model_row
from tests.registries.importing import attempt, connected, importer
from tests.storage.stores import Bucket, make_bucket

CLOSED = "http://127.0.0.1:1"
FILES = 5


@pytest.fixture(autouse=True)
def _looks_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever fetches, whether somebody waits."""
    monkeypatch.setattr(turns, "TURN_SECONDS", 0.0)
    monkeypatch.setattr(turns, "LOOK_SECONDS", 0.0)


@pytest.fixture
def work(engine: Engine, broker_url: str, tmp_path: Path) -> Importer[Any, Any]:
    return importer("models", engine, broker_url, str(tmp_path))


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    """With a folder that is listed in three pages."""
    monkeypatch.setattr(module, "PAGE", 2)
    with make_bucket(monkeypatch) as made:
        client = boto3.client("s3", endpoint_url=made.endpoint, region_name="us-east-1")
        for number in range(FILES):
            client.put_object(Bucket=made.name, Key=f"faces/{number}.txt", Body=b"", ACL="public-read")
        yield made


def register(engine: Engine, url: str, uri: str) -> UUID:
    row = model_row(status=ResourceStatus.FETCHING)
    connected(engine, "s3", url, uri, row)
    return row.id


def told(engine: Engine, model: UUID) -> tuple[ModelRow, ModelImportRow, timedelta]:
    """The last is how long it waits."""
    with transaction(engine) as session:
        imported = session.get_one(ModelImportRow, model)
        wait = (imported.next_at or clock(session)) - clock(session)
        return session.get_one(ModelRow, model), imported, wait


def ends(*, goes_on: bool) -> bool:
    """Somebody else waits, whatever that costs."""
    del goes_on
    return True


def test_a_turn_is_no_attempt(engine: Engine, work: Importer[Any, Any]) -> None:
    """However often somebody was let in, what fails afterwards has failed once, and has its day of attempts."""
    model = register(engine, CLOSED, "s3://models/faces")
    for _ in range(MAX_ATTEMPTS):
        attempt(work, ends)
    row, imported, wait = told(engine, model)
    assert (row.status, imported.attempts, imported.turns) == ("fetching", MAX_ATTEMPTS, MAX_ATTEMPTS)
    assert wait <= timedelta(0)
    attempt(work)
    row, imported, wait = told(engine, model)
    assert (row.status, imported.turns) == ("fetching", MAX_ATTEMPTS)
    assert timedelta(0) < wait <= wait_after(1)
    with transaction(engine) as session:
        session.query(ModelImportRow).update({"attempts": 2 * MAX_ATTEMPTS - 1, "next_at": func.now()})
    attempt(work)
    row, _, _ = told(engine, model)
    assert (row.status, (row.problem or {})["code"]) == ("rejected", "address-unreachable")


def test_between_the_pages_of_a_folder(engine: Engine, work: Importer[Any, Any], bucket: Bucket) -> None:
    """What is not listed to its end begins anew: whoever is asked is told so."""
    model, asked = register(engine, bucket.endpoint, f"s3://{bucket.name}/faces"), list[bool]()

    def from_the_third_page_on(*, goes_on: bool) -> bool:
        asked.append(goes_on)
        return len(asked) == 3

    attempt(work, from_the_third_page_on)
    row, imported, _ = told(engine, model)
    assert (row.status, imported.turns, asked) == ("fetching", 1, [False] * 3)
    attempt(work)
    row, _, _ = told(engine, model)
    assert (row.status, (row.problem or {})["code"]) == ("rejected", "model-format-not-accepted")
