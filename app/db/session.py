"""The engine and the one way to open a transaction."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine, create_engine
from sqlalchemy.orm import Session

APPLICATION_NAME = "salience-audit"


def make_engine(url: str) -> Engine:
    """A pool that notices a restarted server before it hands out a connection."""
    return create_engine(
        url,
        pool_pre_ping=True,
        pool_size=10,
        max_overflow=20,
        hide_parameters=True,  # an error's text goes into logs; what was being stored does not
        connect_args={"application_name": APPLICATION_NAME, "connect_timeout": 10},
    )


@contextmanager
def transaction(engine: Engine) -> Iterator[Session]:
    """A session that commits at the end of the block, and rolls back where the block raises."""
    with Session(engine, expire_on_commit=False) as session, session.begin():
        yield session
