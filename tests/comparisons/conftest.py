"""What the tests of comparisons share."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import Engine

from app.db.session import make_engine
from app.embedded.postgres import EmbeddedPostgres


@pytest.fixture(scope="module")
def service_engine(service: httpx.Client, open_folder: Path) -> Iterator[Engine]:
    """The running service's own database."""
    server = EmbeddedPostgres(open_folder / "service" / "postgres")
    server.port = int((server.cluster / "postmaster.pid").read_text().splitlines()[3])
    engine = make_engine(server.url)
    yield engine
    engine.dispose()
