"""What ``salience-audit backup`` and ``restore`` do, and what they say of it."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine

from app.backup.restoring import restore
from app.backup.saving import back_up
from app.db.session import make_engine
from app.server_file import settings_of
from app.storage.blobs import BlobStore


def run_backup(data: Path, folder: Path) -> None:
    """Of the service whose folder is ``data``. Raises SalienceError as `back_up`."""
    with _opened(data) as (engine, blobs):
        saved = back_up(engine, blobs, data, folder)
    rows = sum(table["rows"] for table in saved["tables"])
    sys.stdout.write(f"{folder}: {rows} rows at revision {saved['revision']}, {len(saved['blobs'])} blobs.\n")
    if not saved["secret"]:
        sys.stderr.write("Keep API_KEY_SECRET and ENCRYPTION_KEYS as well: without the first no key is valid.\n")


def run_restore(data: Path, folder: Path) -> None:
    """Into the service whose folder is ``data``. Raises SalienceError as `restore`."""
    with _opened(data) as (engine, blobs):
        restored = restore(engine, blobs, data, folder)
    sys.stdout.write(f"Restored {len(restored['tables'])} tables and {len(restored['blobs'])} blobs of {folder}.\n")


@contextmanager
def _opened(data: Path) -> Iterator[tuple[Engine, BlobStore]]:
    settings = settings_of(data)
    engine = make_engine(settings.database_url)
    try:
        yield engine, BlobStore.from_settings(settings)
    finally:
        engine.dispose()
