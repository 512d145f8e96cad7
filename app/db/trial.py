"""What every request does, once: act as a tenant, write a row, read it. ``SELECT 1`` tells nothing of that."""

from sqlalchemy import select
from sqlalchemy.exc import InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.orm import Session

from app.db.faults import told
from app.db.identifiers import new_id
from app.db.tables import GateRow
from app.errors import Unavailable


def try_requests_work(session: Session) -> None:
    """In a session of a tenant; nothing is kept. Raises Unavailable ``database-unusable``, with the reason.

    Where the database cannot be reached at all, that error passes as it is.
    """
    trial = new_id()
    try:
        session.add(GateRow(id=trial, name=f"trial {trial}", conditions=[]))
        session.flush()
        session.expunge_all()
        found = session.scalar(select(GateRow.id).where(GateRow.id == trial))
    except (OperationalError, InterfaceError):
        raise
    except SQLAlchemyError as error:
        raise Unavailable("database-unusable", told(error)) from error
    finally:
        session.rollback()
    if found != trial:
        raise Unavailable("database-unusable", "The database does not give back what a request has just written.")
