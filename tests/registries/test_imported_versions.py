"""What an import comes to: an alias is the version that has it, and more than a tenant may have is not kept."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from app.db.session import transaction
from app.db.tables import ModelRow
from app.domain.vocabulary import ResourceStatus
from tests.factories import model_row
from tests.registries.importing import attempt, connected, importer
from tests.registries.recorded_mlflow import RecordedMlflow, recorded_mlflow


@pytest.fixture(scope="module")
def mlflow() -> Iterator[RecordedMlflow]:
    with recorded_mlflow() as server:
        server.register("faces", "1")
        server.register("faces", "2", "cross_entropy_run2")
        server.aliases["faces", "champion"] = "1"
        yield server


def imported(engine: Engine, broker_url: str, folder: Path, mlflow: RecordedMlflow, **limits: int) -> ModelRow:
    """What `models:/faces@champion` came to."""
    row = model_row(status=ResourceStatus.FETCHING)
    connected(engine, "mlflow", mlflow.url, "models:/faces@champion", row)
    attempt(importer("models", engine, broker_url, str(folder), **limits))
    with transaction(engine) as session:
        return session.get_one(ModelRow, row.id)


def test_an_alias_is_the_version_that_has_it(
    engine: Engine, broker_url: str, tmp_path: Path, mlflow: RecordedMlflow
) -> None:
    row = imported(engine, broker_url, tmp_path, mlflow)
    assert (row.status, row.problem) == ("validating", None)
    source = row.source or {}
    assert (source["name"], source["version"], source["file"]) == ("faces", "1", "data/model.pth")


def test_more_than_a_tenant_may_have(engine: Engine, broker_url: str, tmp_path: Path, mlflow: RecordedMlflow) -> None:
    row = imported(engine, broker_url, tmp_path, mlflow, max_tenant_bytes=1000)
    assert (row.status, (row.problem or {})["code"], row.content_digest) == ("rejected", "quota-exceeded", None)
