"""What a registry says and no database keeps: it is refused once, and not fetched again and again."""

import json
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine

from app.access.vault import Vault
from app.db.session import transaction
from app.db.tables import ModelImportRow, ModelRow
from app.domain.stored_text import is_storable_json
from app.domain.vocabulary import ResourceStatus
from app.egress.answers import Answer
from app.errors import EgressFailure
from app.imports.importer import Importer
from app.imports.nouns import MODELS
from app.queue import TaskQueue
from app.settings import Settings
from app.storage.blobs import BlobStore
from tests.factories import model_row

HALF = "\ud800"


def imported(engine: Engine, broker_url: str, folder: Path) -> ModelRow:
    """What became of a model whose source is that folder, after one attempt and no other."""
    settings = Settings(
        blob_store=str(folder.parent / "blobs"), broker_url=broker_url, import_roots=frozenset({str(folder.parent)})
    )
    queue = TaskQueue(broker_url)
    importer = Importer(MODELS, engine, Vault(None), BlobStore.from_settings(settings), queue, settings)
    row = model_row(status=ResourceStatus.FETCHING, source={"uri": f"file://{folder}"})
    with transaction(engine) as session:
        session.add(row)
        session.flush()
        session.add(ModelImportRow(model_id=row.id, tenant_id=row.tenant_id, uri=f"file://{folder}", said={}))
    claim = importer.claim(frozenset())
    assert claim is not None
    importer.work(claim)
    queue.close()
    return _row(engine, row.id)


def _row(engine: Engine, model_id: UUID) -> ModelRow:
    with transaction(engine) as session:
        assert session.get_one(ModelImportRow, model_id).next_at is None
        return session.get_one(ModelRow, model_id)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("salience.json", json.dumps({"architecture": "resnet18", "class_names": ["a\0", "b"]})),
        ("salience.json", json.dumps({"architecture": "resnet18", "class_names": ["a", f"b{HALF}"]})),
        ("MLmodel", 'metadata: {salience: {class_names: ["a\\0", "b"]}}'),
    ],
)
def test_a_description_that_no_database_keeps(
    name: str, content: str, engine: Engine, broker_url: str, tmp_path: Path
) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / name).write_text(content)
    (folder / "model.safetensors").write_bytes(b"weights")
    row = imported(engine, broker_url, folder)
    assert row.status == ResourceStatus.REJECTED
    assert row.problem is not None
    assert row.problem["code"] == "description-invalid"
    assert "NUL character" in row.problem["detail"] or "class_names" in row.problem["detail"]


@pytest.mark.parametrize(
    "told", ['{"name": "a\\u0000"}', '{"tags": [{"a\\ud800": 1}]}', "[" * 500 + '"\\u0000"' + "]" * 500]
)
def test_a_registrys_answer(told: str) -> None:
    with pytest.raises(EgressFailure, match="answer-malformed"):
        Answer(200, {}, told.encode()).json()


def test_all_else_is_kept() -> None:
    value: dict[str, Any] = {
        "a": [
            None,
            1.5,
            True,
            "\x07 é \N{GRINNING FACE}",
            {"b": "\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16")},
        ]
    }
    assert is_storable_json(value)
    assert not is_storable_json([[{"a": {"\0": 1}}]])
