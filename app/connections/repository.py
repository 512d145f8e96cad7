"""SQL of connections."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from app.db.pages import Rows, newest
from app.db.tables import ConnectionRow, DatasetImportRow, HookRow, ModelImportRow, PolicyRow
from app.domain.problems import integrations
from app.errors import NotFound, Unprocessable
from app.registries.uris import FOLLOWED, SCHEMES


def get_connection(session: Session, connection_id: UUID, *, lock: bool = False) -> ConnectionRow:
    """Raises NotFound."""
    row = session.get(ConnectionRow, connection_id, with_for_update=lock)
    if row is None:
        raise NotFound("connection")
    return row


def get_registry(session: Session, connection_id: UUID) -> ConnectionRow:
    """A connection that has versions, or of whose files a hook tells. Raises NotFound, Unprocessable."""
    row = get_connection(session, connection_id)
    told_of = select(HookRow.id).where(
        or_(HookRow.connection_id == row.id, HookRow.connection_id.is_(None)),
        HookRow.mapping["below"].astext.startswith(SCHEMES[row.kind], autoescape=True),
    )
    if row.kind not in FOLLOWED and session.scalar(told_of.limit(1)) is None:
        raise not_followed(row)
    return row


def connections_of(session: Session, kind: str, most: int) -> Sequence[ConnectionRow]:
    """Those of one kind, the oldest first."""
    return session.scalars(
        select(ConnectionRow).where(ConnectionRow.kind == kind).order_by(ConnectionRow.id).limit(most)
    ).all()


def not_followed(row: ConnectionRow) -> Unprocessable:
    """Nothing says which versions there are."""
    detail = (
        f"Hooks and policies follow a registry that tells of versions ({', '.join(FOLLOWED)}); this connection is "
        f"of {row.kind}. First make a hook whose mapping has `source`, or register its models by POST /v1/models with "
        "a source."
    )
    return Unprocessable.at(detail, "connection_id")


def list_connections(session: Session, limit: int, after: UUID | None) -> Rows[ConnectionRow]:
    """The newest first."""
    return newest(session, select(ConnectionRow), ConnectionRow, limit, after)


def refuse_while_used(session: Session, connection_id: UUID) -> None:
    """Raises Conflict ``connection-in-use``."""
    users = {
        "hook": HookRow.connection_id,
        "policy": PolicyRow.connection_id,
        "imported model": ModelImportRow.connection_id,
        "imported data set": DatasetImportRow.connection_id,
    }
    for noun, column in users.items():
        if session.scalar(select(column).where(column == connection_id).limit(1)):
            raise integrations.CONNECTION_IN_USE.error(noun=noun)
