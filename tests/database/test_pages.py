"""A page of a list holds so many bytes: one data set may have a mebibyte of labels."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine, delete, select, text

from app.access.repository import tenant_named
from app.datasets.repository import list_datasets
from app.db import pages
from app.db.identifiers import new_id
from app.db.pages import Rows, newest
from app.db.session import TenantEngine, transaction
from app.db.tables import DatasetRow, GateRow, RunGroupRow
from app.domain.vocabulary import ResourceStatus
from app.naming.filters import VersionFilter
from tests.factories import dataset_row

MEBIBYTE = 1024**2


def add_datasets(engine: Engine | TenantEngine, sizes: list[int]) -> list[UUID]:
    """With so many bytes of labels each; returns the ids, the newest first."""
    ids = sorted(new_id() for _ in sizes)
    with transaction(engine) as session:
        for row_id, size in zip(ids, sizes, strict=True):
            session.add(dataset_row(id=row_id, status=ResourceStatus.READY, labels=["x" * size]))
    return ids[::-1]


def walk(engine: Engine | TenantEngine, limit: int) -> list[list[UUID]]:
    """The ids of every page."""
    found: list[list[UUID]] = []
    rows: Rows[DatasetRow] = Rows([], more=True)
    while rows.more:
        after = found[-1][-1] if found else None
        with transaction(engine) as session:
            rows = list_datasets(session, limit, after, status=None, wanted=VersionFilter())
        found.append([row.id for row in rows.items])
    return found


@pytest.mark.parametrize(
    ("sizes", "limit", "pages_of"),
    [
        ([MEBIBYTE] * 9, 1000, [3, 3, 3]),
        ([MEBIBYTE] * 9, 2, [2, 2, 2, 2, 1]),
        ([10] * 9, 4, [4, 4, 1]),
        ([10] * 8, 4, [4, 4]),
        ([10, 5 * MEBIBYTE, 10], 4, [1, 1, 1]),
        ([10, 5 * MEBIBYTE, 5 * MEBIBYTE], 4, [1, 1, 1]),
        ([], 4, [0]),
    ],
)
def test_pages(engine: Engine, sizes: list[int], limit: int, pages_of: list[int]) -> None:
    ids = add_datasets(engine, sizes)
    found = walk(engine, limit)
    assert [len(page) for page in found] == pages_of
    assert [row_id for page in found for row_id in page] == ids


def test_what_is_added_meanwhile_hides_nothing(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = add_datasets(engine, [10] * 5)
    between_looks(monkeypatch, lambda: add_datasets(engine, [10]))
    assert walk(engine, 2) == [ids[:2], ids[2:4], ids[4:]]


def test_what_is_deleted_meanwhile_hides_nothing(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = add_datasets(engine, [10] * 5)

    def delete_two() -> None:
        with transaction(engine) as session:
            session.execute(delete(DatasetRow).where(DatasetRow.id.in_(ids[:2])))

    between_looks(monkeypatch, delete_two)
    assert walk(engine, 2) == [ids[2:4], ids[4:]]


def between_looks(monkeypatch: pytest.MonkeyPatch, change: Callable[[], object]) -> None:
    """Once, when the sizes are known and the rows are not yet read."""
    weigh = pages._fitting

    def weigh_and_change(*arguments: Any) -> Any:
        found = weigh(*arguments)
        monkeypatch.setattr(pages, "_fitting", weigh)
        change()
        return found

    monkeypatch.setattr(pages, "_fitting", weigh_and_change)


def test_other_lists(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Documents that are missing weigh nothing; some resources have none that grow."""
    monkeypatch.setattr(pages, "PAGE_BYTES", 1000)
    with transaction(engine) as session:
        session.add_all(GateRow(id=new_id(), name="g", conditions=["c" * 600]) for _ in range(3))
        session.add_all(RunGroupRow(id=new_id(), name="r") for _ in range(3))
        session.flush()
        assert len(newest(session, select(GateRow), GateRow, 10, None).items) == 1
        assert len(newest(session, select(RunGroupRow), RunGroupRow, 10, None).items) == 3


def test_a_tenants_pages_are_its_own(engine: Engine) -> None:
    """Also for a database user to whom row security does not apply."""
    with transaction(engine) as session:
        tenants = [TenantEngine(engine, tenant_named(session, name).id) for name in ("a", "b")]
    ids = [add_datasets(tenant, [10] * 3) for tenant in tenants]
    for tenant, own in zip(tenants, ids, strict=True):
        assert walk(tenant, 2) == [own[:2], own[2:]]
        with transaction(tenant) as session:
            session.execute(text("RESET ROLE"))
            rows = list_datasets(session, 2, own[1], status=None, wanted=VersionFilter())
            assert ([row.id for row in rows.items], rows.more) == (own[2:], False)
