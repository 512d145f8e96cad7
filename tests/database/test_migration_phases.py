"""Revisions say in their names when they run, and a ``pre`` one harms no process of the version before."""

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event, text

from app.db import migrations
from app.db.migrations import ALEMBIC_FOLDER, is_post, pending, upgrade
from app.doctor.findings import Verdict
from app.doctor.services import check_database
from app.errors import SalienceError
from app.settings import Settings

LAST_WITHOUT_PHASE = "0012_audit_minutes"
SINCE = pending(LAST_WITHOUT_PHASE)
UNNAMED = {
    "0013_descriptions_of_models",
    "0015_outputs",
    "0016_data_sets",
    "0018_architecture_options",
}
"""Whose ids lack the phase, since databases hold these ids in alembic_version; their files' names say it."""
NAME = re.compile(r"\d{4}_(pre|post)_[a-z0-9_]+")
BREAKING = re.compile(
    r"\bDROP (TABLE|COLUMN|DEFAULT|VIEW|TYPE)\b|\bRENAME\b|\bSET NOT NULL\b|\bALTER COLUMN \S+ TYPE\b"
    r"|\bADD COLUMN (?!.*\bDEFAULT\b).*\bNOT NULL\b",
    re.IGNORECASE | re.DOTALL,
)


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    made = create_engine(database_url)
    yield made
    made.dispose()


@pytest.mark.parametrize("revision", SINCE)
def test_names(revision: str) -> None:
    script = ScriptDirectory(str(ALEMBIC_FOLDER)).get_revision(revision)
    assert script is not None
    name = Path(script.path).stem
    assert NAME.fullmatch(name)
    assert revision == (name.replace("_pre_", "_", 1) if revision in UNNAMED else name)


def test_what_comes_before_a_rollout_breaks_nothing(engine: Engine) -> None:
    with engine.connect() as connection:
        config = migrations._config(connection)
        command.downgrade(config, LAST_WITHOUT_PHASE)
        for revision in SINCE:
            with statements(connection) as sent:
                command.upgrade(config, revision)
            if not is_post(revision):
                assert [one for one in sent if BREAKING.search(one)] == [], revision


@pytest.mark.parametrize(
    ("statement", "breaks"),
    [
        ("ALTER TABLE audits DROP COLUMN origin", True),
        ("ALTER TABLE audits ADD COLUMN origin TEXT NOT NULL", True),
        ("ALTER TABLE audits ALTER COLUMN origin SET NOT NULL", True),
        ("ALTER TABLE audits RENAME origin TO source", True),
        ("ALTER TABLE audits ADD COLUMN origin TEXT DEFAULT '' NOT NULL", False),
        ("CREATE TABLE origins (name TEXT NOT NULL)", False),
        ("ALTER TABLE audits ALTER COLUMN origin DROP NOT NULL", False),
    ],
)
def test_what_breaks(statement: str, *, breaks: bool) -> None:
    assert bool(BREAKING.search(statement)) is breaks


def test_a_rollout_in_two_steps(
    engine: Engine, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = str(migrations.newest_revision())
    monkeypatch.setattr(migrations, "ALEMBIC_FOLDER", add_revisions(tmp_path, head, "9001_pre_a", "9002_post_b"))
    upgrade(engine, only_pre=True)
    assert revision_of(engine) == "9001_pre_a"
    upgrade(engine, only_pre=True)
    (finding,) = (one for one in check_database(Settings(database_url=database_url)) if one.check == "revision")
    assert (finding.verdict, "9002_post_b" in finding.detail) == (Verdict.WARN, True)
    upgrade(engine)
    assert revision_of(engine) == "9002_post_b"


def test_two_versions_at_once_need_a_pause(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    head = str(migrations.newest_revision())
    monkeypatch.setattr(migrations, "ALEMBIC_FOLDER", add_revisions(tmp_path, head, "9001_post_a", "9002_pre_b"))
    with pytest.raises(SalienceError, match="9002_pre_b can only run after 9001_post_a"):
        upgrade(engine, only_pre=True)
    assert revision_of(engine) == head
    upgrade(engine)
    assert revision_of(engine) == "9002_pre_b"


@contextmanager
def statements(connection: Connection) -> Iterator[list[str]]:
    """What is sent meanwhile, but for Alembic's own table."""
    sent: list[str] = []

    def note(*arguments: object) -> None:
        if "alembic_version" not in str(arguments[2]):
            sent.append(str(arguments[2]))

    event.listen(connection, "before_cursor_execute", note)
    yield sent
    event.remove(connection, "before_cursor_execute", note)


def add_revisions(folder: Path, head: str, *revisions: str) -> Path:
    """A copy of the scripts in which these follow the newest."""
    copy = Path(shutil.copytree(ALEMBIC_FOLDER, folder / "alembic"))
    for before, revision in zip((head, *revisions), revisions, strict=False):
        lines = [f"revision = {revision!r}", f"down_revision = {before!r}", "def upgrade(): pass"]
        (copy / "versions" / f"{revision}.py").write_text("\n".join(lines))
    return copy


def revision_of(engine: Engine) -> str:
    with engine.connect() as connection:
        return str(connection.scalar(text("SELECT version_num FROM alembic_version")))
