"""How much a hook keeps is counted with every delivery that comes or goes, and is never more than it may be."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from app.access.quotas import used_bytes
from app.db.session import transaction
from app.db.tables import DEFAULT_TENANT, HookDeliveryRow, HookRow
from app.errors import RateLimited
from app.hooks.kinds import Arrived
from app.hooks.schemas import HookOutcome
from app.hooks.service import Proved, take_in
from app.housekeeping.retention import remove_deliveries
from app.settings import Settings
from tests.registries.met_versions import Met, met

SETTINGS = Settings(max_hook_deliveries=10, max_hook_bytes=1000)


@pytest.fixture
def rows(database_url: str) -> Iterator[Met]:
    with met(database_url, "http://127.0.0.1:1") as rows:
        yield rows


def deliver(rows: Met, *keys: str, size: int = 20) -> None:
    events = [Arrived(key, "e", bytes(size)) for key in keys]
    take_in(rows.engine, Proved(rows.hook_id, DEFAULT_TENANT, events, had_refusals=False), SETTINGS)


def look_at_all(rows: Met) -> None:
    with rows.session() as session:
        session.execute(update(HookDeliveryRow).values(outcome=HookOutcome.IGNORED))


def kept(rows: Met) -> list[str]:
    """Keys, the oldest first, where the counts are theirs."""
    row = HookDeliveryRow
    with rows.session() as session:
        number, size = session.execute(select(func.count(), func.coalesce(func.sum(func.length(row.body)), 0))).one()
        hook = session.get_one(HookRow, rows.hook_id)
        assert (hook.kept, hook.kept_bytes) == (number, size)
        assert used_bytes(session) == size
        return list(session.scalars(select(row.key).order_by(row.id)))


def test_the_newest_are_kept(rows: Met) -> None:
    """The same delivery again counts once; a tenth is removed at once, so that the next one removes none."""
    names = [f"{number:02}" for number in range(13)]
    for name in names[:10]:
        deliver(rows, name)
        deliver(rows, name)
    look_at_all(rows)
    assert kept(rows) == names[:10]
    deliver(rows, names[10])
    assert kept(rows) == names[2:11]
    deliver(rows, names[11])
    assert kept(rows) == names[2:12]
    deliver(rows, names[12])
    assert kept(rows) == names[4:13]


def test_what_nobody_has_looked_at_is_not_forgotten(rows: Met) -> None:
    deliver(rows, *"abcdefghij")
    for more in ("k", "kl"):
        with pytest.raises(RateLimited):
            deliver(rows, *more)
    assert kept(rows) == list("abcdefghij")
    look_at_all(rows)
    deliver(rows, *"kl")
    assert kept(rows) == list("defghijkl")


def test_bytes_count_as_well(rows: Met) -> None:
    deliver(rows, "a", size=600)
    look_at_all(rows)
    deliver(rows, "b", size=350)
    assert kept(rows) == ["a", "b"]
    deliver(rows, "c", size=100)
    assert kept(rows) == ["b", "c"]


def test_old_ones_are_removed(rows: Met) -> None:
    deliver(rows, *"abc")
    look_at_all(rows)
    deliver(rows, "d")
    with transaction(rows.engine) as session:
        row = HookDeliveryRow
        session.execute(update(row).where(row.key != "c").values(created_at=row.created_at - timedelta(days=31)))
    assert remove_deliveries(rows.engine, timedelta(days=30)) == 2
    assert kept(rows) == ["c", "d"]
