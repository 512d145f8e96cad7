"""Databases of the tests' own server."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import psycopg

from app.embedded.postgres import EmbeddedPostgres


@contextmanager
def new_database(server: EmbeddedPostgres, template: str = "salience_audit") -> Iterator[str]:
    """The URL of a copy of another, which nobody may be connected to; dropped at the end of the block."""
    name = f"test_{uuid4().hex}"
    administration = server.url.replace("+psycopg", "").rpartition("/")[0] + "/postgres"
    with psycopg.connect(administration, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    yield server.url.rpartition("/")[0] + f"/{name}"
    with psycopg.connect(administration, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
