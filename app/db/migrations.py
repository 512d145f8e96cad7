"""Brings a database to the newest revision; the scripts lie in the top-level folder ``alembic``."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, text

ALEMBIC_FOLDER = Path(__file__).resolve().parents[2] / "alembic"
MIGRATION_LOCK = 7_326_511_902_114


def upgrade(engine: Engine, revision: str = "head") -> None:
    """Upgrade under an advisory lock, so that several processes may start at once."""
    with engine.connect() as connection:
        connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": MIGRATION_LOCK})
        connection.commit()
        try:
            command.upgrade(_config(connection), revision)
            connection.commit()
        finally:
            connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": MIGRATION_LOCK})
            connection.commit()


def newest_revision() -> str | None:
    """The revision that this code expects."""
    return ScriptDirectory(str(ALEMBIC_FOLDER)).get_current_head()


def is_known(revision: str) -> bool:
    """Whether this code has the revision."""
    return revision in {known.revision for known in ScriptDirectory(str(ALEMBIC_FOLDER)).walk_revisions()}


def _config(connection: object) -> Config:
    config = Config()
    config.set_main_option("script_location", str(ALEMBIC_FOLDER))
    config.attributes["connection"] = connection
    return config
