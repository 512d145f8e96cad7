"""What a transaction holds until its end: rows that it will refer to, and blobs."""

from collections.abc import Sequence
from typing import TypeVar
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.db.tables import AuditRow, MapSetRow, ModelRow
from app.domain.problems.problem_type import ProblemType

Named = TypeVar("Named", ModelRow, MapSetRow, AuditRow)


def lock_all(session: Session, table: type[Named], ids: Sequence[UUID], unknown: ProblemType) -> list[Named]:
    """In the order of the ids, safe from deletion until the end. Raises ``unknown``, which has a place for ids."""
    query = select(table).where(table.id.in_(ids)).with_for_update(read=True, key_share=True)
    found = {row.id: row for row in session.scalars(query)}
    missing = [str(one) for one in ids if one not in found]
    if missing:
        raise unknown.error(ids=", ".join(missing))
    return [found[one] for one in ids]


def lock_digests(session: Session, digests: set[str]) -> None:
    """Until the transaction's end: who refers to a blob anew and who deletes it take turns."""
    for digest in sorted(digests):
        session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(digest, 0))))
