"""The migrations make just the tables that the code maps, and take them away again."""

import os
import subprocess
import sys
from pathlib import Path

from sqlalchemy import create_engine, inspect

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
