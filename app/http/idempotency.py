"""``Idempotency-Key``: a POST that is sent again makes nothing new and gets the same answer."""

import hashlib
import json
from datetime import timedelta
from typing import Annotated, TypeVar
from uuid import UUID

from fastapi import Depends, Header, Request
from pydantic import BaseModel
from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from app.db.tables import IdempotencyKeyRow
from app.domain.problems.service import KEY_REUSED
from app.http.dependencies import SettingsDep

Answer = TypeVar("Answer", bound=BaseModel)

IdempotencyKey = Annotated[
    str | None,
    Header(
        min_length=1,
        max_length=255,
        pattern=r"^[\x20-\x7e]+$",
        description="Your name for this request: sent again under it, the request gets the first answer again.",
    ),
]


class Idempotency:
    """One request's key, for its method and path; without a key, every request makes something new."""

    def __init__(self, operation: str, key: str | None, keep: timedelta) -> None:
        self._operation = operation
        self._key = key
        self._keep = keep

    def earlier(self, session: Session, request: BaseModel, kind: type[Answer]) -> Answer | None:
        """The answer that the key got before; None where this request is the first and has the key from now on.

        Waits for another request with the same key that is still at it: if that one fails, this one goes on.
        Raises Unprocessable ``idempotency-key-reused`` where the key stands for another body.
        """
        if self._key is None:
            return None
        body = json.dumps(request.model_dump(mode="json"), sort_keys=True)
        digest = hashlib.sha256(body.encode()).hexdigest()
        if self._take(session, digest):
            return None
        row = session.scalars(select(IdempotencyKeyRow).where(*self._mine())).one()
        if row.request_digest != digest:
            raise KEY_REUSED.error()
        return kind.model_validate(row.answer)

    def remember(self, session: Session, resource_id: UUID, answer: BaseModel) -> None:
        """What to answer next time; in the transaction that makes the resource."""
        if self._key is not None:
            values = {"resource_id": resource_id, "answer": answer.model_dump(mode="json")}
            session.execute(update(IdempotencyKeyRow).where(*self._mine()).values(values))

    def _take(self, session: Session, digest: str) -> bool:
        """A key that has expired is free again, swept or not."""
        row, now = IdempotencyKeyRow, func.clock_timestamp()
        values = {"operation": self._operation, "key": self._key, "request_digest": digest, "created_at": now}
        taken = insert(row).values(values)
        taken = taken.on_conflict_do_update(
            index_elements=[row.tenant_id, row.operation, row.key],
            set_={"request_digest": digest, "answer": None, "created_at": now},
            where=row.created_at < now - self._keep,
        )
        return session.execute(taken.returning(row.key)).one_or_none() is not None

    def _mine(self) -> tuple[ColumnElement[bool], ...]:
        return IdempotencyKeyRow.operation == self._operation, IdempotencyKeyRow.key == self._key


async def _idempotency(request: Request, settings: SettingsDep, idempotency_key: IdempotencyKey = None) -> Idempotency:
    keep = timedelta(days=settings.keep_idempotency_keys_days)
    return Idempotency(f"{request.method} {request.url.path}", idempotency_key, keep)


IdempotencyDep = Annotated[Idempotency, Depends(_idempotency)]
