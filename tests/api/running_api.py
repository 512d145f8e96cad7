"""A running API process and what tests ask of it."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
from sqlalchemy import Engine, update

from app.db.session import transaction
from app.db.tables import AuditModelRow, DatasetRow, MapSetRow, ModelRow
from tests.factories import audit_row
from tests.waiting import RECIPE

UPLOAD_LIMIT = 3_000_000
EMPTY_ZIP = b"PK\x05\x06" + bytes(18)


@dataclass(frozen=True)
class Api:
    """A running API process and what lies behind it."""

    pid: int
    port: int
    folder: Path
    engine: Engine
    client: httpx.Client = field(repr=False)

    def register(self, collection: str = "models", **changes: Any) -> dict[str, Any]:
        description = (RECIPE if collection == "models" else {}) | {"name": "one"} | changes
        answer = self.client.post(f"/v1/{collection}", json=description)
        assert answer.status_code == 201, answer.text
        resource: dict[str, Any] = answer.json()
        assert answer.headers["location"] == f"/v1/{collection}/{resource['id']}"
        return resource

    def set_row(self, table: type[ModelRow | DatasetRow | MapSetRow], resource: dict[str, Any], **values: Any) -> None:
        """What the worker would have found."""
        with transaction(self.engine) as session:
            session.execute(update(table).where(table.id == UUID(resource["id"])).values(**values))

    def files(self) -> list[Path]:
        """Blobs and whatever lies in quarantine."""
        files = (path for path in self.folder.rglob("*") if path.is_file() and path.name not in {"ping", "owner"})
        return sorted(path.relative_to(self.folder) for path in files)

    def leftovers(self) -> list[Path]:
        return [path for path in self.files() if path.parts[0] == "quarantine"]


def check_problem(answer: httpx.Response, status: int, code: str) -> str:
    """It is that problem document; its detail."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert (problem["status"], problem["code"]) == (status, code)
    assert problem["request_id"] == answer.headers["x-request-id"]
    detail: str = problem["detail"]
    return detail


def pages(client: httpx.Client, path: str, **query: Any) -> list[dict[str, Any]]:
    """Every item of a list, page by page."""
    items: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        page = client.get(path, params=query | cursor).json()
        items += page["items"]
        if page["next_cursor"] is None:
            return items
        assert page["items"]
        cursor = {"cursor": page["next_cursor"]}


def refer_to(api: Api, dataset: dict[str, Any], model: dict[str, Any]) -> UUID:
    """An audit of the model on the data set, as a row."""
    with transaction(api.engine) as session:
        session.add(audit := audit_row(UUID(dataset["id"]), sample_count=0))
        session.flush()
        session.add(AuditModelRow(audit_id=audit.id, ordinal=0, model_id=UUID(model["id"])))
        return audit.id
