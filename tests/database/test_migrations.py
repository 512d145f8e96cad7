"""The migrations make just the tables that the code maps, and take them away again."""

import os
import subprocess
import sys
from pathlib import Path

from sqlalchemy import create_engine, inspect, text

from app.db.session import TenantEngine, transaction
from app.db.tables import DEFAULT_TENANT

REPOSITORY = Path(__file__).resolve().parents[2]


def alembic(database_url: str, *arguments: str) -> None:
    environment = os.environ | {"DATABASE_URL": database_url}
    command = [sys.executable, "-m", "alembic", *arguments]
    done = subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_check_and_downgrade(database_url: str) -> None:
    engine = create_engine(database_url)
    alembic(database_url, "check")
    alembic(database_url, "downgrade", "base")
    assert inspect(engine).get_table_names() == ["alembic_version"]
    alembic(database_url, "upgrade", "head")
    alembic(database_url, "check")
    assert "sample_scores" in inspect(engine).get_table_names()
    engine.dispose()


def test_rows_from_before_there_were_tenants(database_url: str) -> None:
    """They belong to the first tenant; what an old process still writes does too."""
    engine = create_engine(database_url)
    alembic(database_url, "downgrade", "0007_metrics")
    written = "INSERT INTO gates (id, name, conditions) VALUES (uuidv7(), 'old', '{}')"
    with transaction(engine) as session:
        session.execute(text(written))
    alembic(database_url, "upgrade", "head")
    with transaction(engine) as session:
        session.execute(text(written))
    with transaction(TenantEngine(engine, DEFAULT_TENANT)) as session:
        assert session.scalar(text("SELECT count(*) FROM gates")) == 2
    engine.dispose()
