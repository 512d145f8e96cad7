"""``python -m app.doctor.this_worker``: is the worker of this machine (of this container) there; for a health check.

It asks for the worker's own sign of life. To ping it through the broker would ask all workers, and one that computes
answers late.
"""

import socket
import sys

from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from app.db.faults import told
from app.db.presence import PRESENT_FOR
from app.db.session import make_engine, transaction
from app.db.tables import WorkerRow
from app.settings import get_settings


def main() -> int:
    """0 where it said within a minute that it is there; else 1, and a sentence on standard error."""
    engine = make_engine(get_settings().database_url)
    mine = WorkerRow.name.startswith(f"{socket.gethostname()}/", autoescape=True)
    recent = WorkerRow.seen_at > func.clock_timestamp() - PRESENT_FOR
    try:
        with transaction(engine) as session:
            found = session.scalar(select(func.count()).select_from(WorkerRow).where(mine, recent))
    except SQLAlchemyError as error:
        sys.stderr.write(f"{told(error)}\n")
        return 1
    finally:
        engine.dispose()
    if not found:
        sys.stderr.write(f"No worker of {socket.gethostname()} was seen within a minute.\n")
    return 0 if found else 1


if __name__ == "__main__":
    sys.exit(main())
