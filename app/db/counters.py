"""Sums that only grow, kept in the database: every API process shows the same, and no restart forgets them."""

import zlib
from bisect import bisect_left
from collections.abc import Mapping
from enum import StrEnum
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.db.tables import CounterRow

SLOTS = 32
INFINITY = "+Inf"
SHARD_SECONDS_BOUNDS = (1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 45.0, 60.0, 90.0, 120.0, 300.0, 600.0, 1800.0)


class Tally(StrEnum):
    """What is counted; its label in brackets."""

    SHARD_SECONDS = "shard_seconds"
    SHARDS_WITHIN = "shards_within"
    """[upper bound of its seconds] Each shard is counted once, under the smallest bound that it keeps."""
    SAMPLES = "samples"
    RETRIES = "retries"
    CRASHES = "crashes"
    """[worker: its lease ran out; model: its child process ended]"""
    RESENDS = "resends"
    """[task]"""


_KNOWN = frozenset(tally.value for tally in Tally)


def add(session: Session, owner: UUID, amounts: Mapping[tuple[Tally, str], float]) -> None:
    """Part of the caller's transaction: counted if and only if that commits.

    ``owner`` is whose doing it is; it chooses the slot. Call it last, and once: the slot is locked until the end.
    """
    slot = zlib.crc32(owner.bytes) % SLOTS
    rows = [
        {"name": counter.value, "label": label, "slot": slot, "value": amount}
        for (counter, label), amount in sorted(amounts.items())  # in one order, or two could wait for each other
    ]
    new = insert(CounterRow).values(rows)
    key = (CounterRow.name, CounterRow.label, CounterRow.slot)
    session.execute(
        new.on_conflict_do_update(index_elements=key, set_={"value": CounterRow.value + new.excluded.value})
    )


def totals(session: Session) -> dict[tuple[Tally, str], float]:
    """Everything that was ever counted."""
    query = select(CounterRow.name, CounterRow.label, func.sum(CounterRow.value))
    found = session.execute(query.group_by(CounterRow.name, CounterRow.label))
    # A newer release beside this one may count what this one does not know.
    return {(Tally(name), label): value for name, label, value in found if name in _KNOWN}


def shard_seconds_label(seconds: float) -> str:
    """The smallest bound that holds ``seconds``."""
    place = bisect_left(SHARD_SECONDS_BOUNDS, seconds)
    return INFINITY if place == len(SHARD_SECONDS_BOUNDS) else f"{SHARD_SECONDS_BOUNDS[place]:g}"
