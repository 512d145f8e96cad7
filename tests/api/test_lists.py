"""Lists over real HTTP: filtered, page by page, by cursors that nobody forged."""

from uuid import uuid4

import pytest

from app.db.tables import DatasetRow, ModelRow
from app.domain.vocabulary import ResourceStatus
from tests.api.running_api import Api, check_problem, pages


@pytest.mark.parametrize(("collection", "table"), [("models", ModelRow), ("datasets", DatasetRow)])
def test_lists(api: Api, collection: str, table: type[ModelRow | DatasetRow]) -> None:
    name = uuid4().hex
    made = [api.register(collection, name=name) for _ in range(5)]
    api.set_row(table, made[2], status=ResourceStatus.READY)
    listed = pages(api.client, f"/v1/{collection}", name=name, limit=2)
    assert [item["id"] for item in listed] == [item["id"] for item in reversed(made)]
    ready = pages(api.client, f"/v1/{collection}", name=name, status="ready")
    assert [item["id"] for item in ready] == [made[2]["id"]]
    everything = [item["id"] for item in pages(api.client, f"/v1/{collection}", limit=3)]
    assert everything == sorted(set(everything), reverse=True)
    check_problem(api.client.get(f"/v1/{collection}?status=done"), 422, "validation-error")


@pytest.mark.parametrize("cursor", ["W10", "WyJhIl0", "WyJcdTAwMDAiXQ", "WzFlOTk5XQ", "_", "W1tbW1tb", "é", "%FF"])
@pytest.mark.parametrize("path", ["/v1/models", "/v1/datasets", "/v1/run-groups"])
def test_forged_cursors(api: Api, path: str, cursor: str) -> None:
    check_problem(api.client.get(f"{path}?cursor={cursor}"), 422, "invalid-cursor")
