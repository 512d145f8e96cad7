"""Brings a database to the newest revision; the scripts lie in the top-level folder ``alembic``.

While a version is rolled out, processes of two versions share a database. So a revision says in its name when it runs:
``pre`` before the first process of its version starts, ``post`` after the last one of the version before has ended.
"""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

from app.db.session import TenantEngine
from app.db.tables import DEFAULT_TENANT
from app.db.tenant_role import named_in_migrations, prepare_role
from app.db.trial import try_requests_work
from app.errors import SalienceError

ALEMBIC_FOLDER = Path(__file__).resolve().parents[2] / "alembic"
MIGRATION_LOCK = 7_326_511_902_114


def upgrade(engine: Engine, *, only_pre: bool = False, revision: str = "head") -> None:
    """In one transaction, under its lock, so that several processes may start at once, and through a pooler too.

    ``only_pre`` stops before the first revision that processes of the version before would not survive. Raises
    SalienceError ``database-role-missing`` or ``migration-needs-pause``.
    """
    with engine.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
        with named_in_migrations(connection, prepare_role(connection)):
            command.upgrade(_config(connection), _last_safe(connection) if only_pre else revision)


def migrate(engine: Engine, *, only_pre: bool = False) -> None:
    """Bring a database to the newest revision, and try what requests will need of it. Raises SalienceError."""
    upgrade(engine, only_pre=only_pre)
    with TenantEngine(engine, DEFAULT_TENANT).session() as session:
        try_requests_work(session)


def pending(current: str | None) -> list[str]:
    """The revisions that a database at ``current`` lacks, the next one first."""
    lacking = ScriptDirectory(str(ALEMBIC_FOLDER)).iterate_revisions("head", current or "base")
    return [script.revision for script in lacking][::-1]


def is_post(revision: str) -> bool:
    """Whether every process of the version before must have ended when it runs."""
    return "_post_" in revision


def _last_safe(connection: Connection) -> str:
    """The last revision before a ``post`` one; "head" for a new database, which no process uses yet."""
    current = MigrationContext.configure(connection).get_current_revision()
    lacking = pending(current)
    posts = [place for place, revision in enumerate(lacking) if is_post(revision)]
    if current is None or not posts:
        return "head"
    left = lacking[posts[0] :]
    behind = [revision for revision in left if not is_post(revision)]
    if behind:
        advice = (
            "End all processes of the version before and run salience-audit migrate, or upgrade version by version."
        )
        raise SalienceError("migration-needs-pause", f"{behind[0]} can only run after {left[0]}. {advice}")
    return lacking[posts[0] - 1] if posts[0] else current


def newest_revision() -> str | None:
    """The revision that this code expects."""
    return ScriptDirectory(str(ALEMBIC_FOLDER)).get_current_head()


def is_known(revision: str) -> bool:
    """Whether this code has the revision."""
    return revision in {known.revision for known in ScriptDirectory(str(ALEMBIC_FOLDER)).walk_revisions()}


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(ALEMBIC_FOLDER))
    config.attributes["connection"] = connection
    return config
