"""What is still referred to: blobs by rows, and rows by audits."""

from typing import NoReturn
from uuid import UUID

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.orm import Session

from app.db.tables import (
    UPLOADED,
    AuditMapSetRow,
    AuditModelRow,
    AuditRow,
    ModelRow,
    ViewArchiveRow,
)
from app.domain.problems.in_use import DELETE_FIRST, IN_USE, Noun
from app.domain.vocabulary import LIVE, SCHEME, AuditStatus
from app.errors import Conflict

MAX_NAMED = 20

_DIGESTS = (
    *(column for table in UPLOADED for column in (table.content_digest, table.stored_digest)),
    ModelRow.reference_digest,
    ViewArchiveRow.stored_digest,
)
"""The columns that refer to blobs."""


def unused_digests(session: Session, digests: set[str]) -> set[str]:
    """Which blobs no row refers to."""
    used: set[str | None] = set()
    for column in _DIGESTS:
        used |= set(session.scalars(select(column).where(column.in_(digests))))
    return digests - used


def all_digests(session: Session) -> set[str]:
    """Every blob that any of them refers to; a listing stands in a digest's place and is none."""
    return {
        digest
        for column in _DIGESTS
        for digest in session.scalars(select(column).where(column.startswith(SCHEME)))
        if digest is not None
    }


def refuse_while_audited(session: Session, noun: Noun, refers: ColumnElement[bool], *, live_only: bool = False) -> None:
    """Raises Conflict ``model-in-use`` (or its like) naming the audits that refer to it: the live ones, if any.

    The caller holds the row's lock: an audit that refers to it anew waits, and then finds it gone.
    """
    for statuses in (LIVE,) if live_only else (LIVE, tuple(AuditStatus)):
        query = select(AuditRow.id, AuditRow.status).where(refers, AuditRow.status.in_(statuses))
        found = session.execute(query.order_by(AuditRow.id).limit(MAX_NAMED)).all()
        if found:
            _refuse(noun, dict(found))


def delete_audits(session: Session, noun: Noun, refers: ColumnElement[bool]) -> None:
    """Those that have ended. Raises Conflict ``model-in-use`` (or its like) while one of them is at it."""
    refuse_while_audited(session, noun, refers, live_only=True)
    session.execute(delete(AuditRow).where(refers))


def of_model(model_id: UUID) -> ColumnElement[bool]:
    """Audits that measure the model."""
    return AuditRow.id.in_(select(AuditModelRow.audit_id).where(AuditModelRow.model_id == model_id))


def of_map_set(map_set_id: UUID) -> ColumnElement[bool]:
    """Audits that have the map set."""
    return AuditRow.id.in_(select(AuditMapSetRow.audit_id).where(AuditMapSetRow.map_set_id == map_set_id))


def _refuse(noun: Noun, audits: dict[UUID, AuditStatus]) -> NoReturn:
    named = ", ".join(f"audit {audit_id}" for audit_id in audits)
    is_live = any(status in LIVE for status in audits.values())
    advice = "wait until they have ended, or cancel and delete them" if is_live else DELETE_FIRST
    errors: list[dict[str, object]] = [
        {"loc": ["audits", str(audit_id)], "msg": status} for audit_id, status in audits.items()
    ]
    problem = IN_USE[noun]
    raise Conflict(problem.code, problem.detail(noun=noun, audits=named, advice=advice), errors=errors)
