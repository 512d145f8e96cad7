"""Puts a backup into an empty database and a blob store, and brings it to this code's revision."""

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, text

from app.access.secret import OWN_FILES
from app.backup.saving import FORMAT, MANIFEST, blob_name
from app.backup.tables import CHUNK_BYTES, SavedTable, is_empty, load_tables, secured_tables
from app.db.migrations import is_known, migrate, upgrade
from app.errors import SalienceError
from app.storage.blobs import BlobStore

DAMAGED = "backup-damaged"


def restore(engine: Engine, blobs: BlobStore, data: Path, folder: Path) -> dict[str, Any]:
    """The manifest. Blobs come first: a database never refers to one that is not there yet.

    Raises SalienceError ``no-backup``, ``backup-of-the-future``, ``database-not-empty``, ``backup-damaged``.
    """
    manifest = _manifest(folder)
    upgrade(engine, revision=manifest["revision"])
    with engine.connect() as connection:
        if not is_empty(connection):
            raise SalienceError(
                "database-not-empty", "The database holds something already; restore into an empty one."
            )
    for digest in manifest["blobs"]:
        _restore_blob(blobs, digest, folder / "blobs" / blob_name(digest))
    with engine.begin() as connection:
        secured = secured_tables(connection)
        load_tables(connection, folder / "tables", [SavedTable(**table) for table in manifest["tables"]])
        for table in secured:
            connection.execute(text(f'ALTER TABLE "{table}" FORCE ROW LEVEL SECURITY'))
    migrate(engine)
    for name in OWN_FILES:
        if (folder / name).exists():
            data.mkdir(parents=True, exist_ok=True)
            shutil.copy(folder / name, data / name)
    return manifest


def _manifest(folder: Path) -> dict[str, Any]:
    try:
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise SalienceError("no-backup", f"{folder} holds no finished backup (no {MANIFEST}).") from None
    if manifest["format"] != FORMAT or not is_known(manifest["revision"]):
        detail = f"The backup is of version {manifest['version']}, which is newer than this one; update first."
        raise SalienceError("backup-of-the-future", detail)
    return manifest


def _restore_blob(blobs: BlobStore, digest: str, path: Path) -> None:
    """Read twice: nothing that is damaged enters the store."""
    if blobs.exists(digest):
        return
    try:
        with path.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != blob_name(digest):
                raise SalienceError(DAMAGED, f"The backup is damaged: blob {digest} is not what it was.")
            file.seek(0)
            with blobs.writer(path.stat().st_size) as writer:
                while chunk := file.read(CHUNK_BYTES):
                    writer.write(chunk)
                writer.commit()
    except FileNotFoundError:
        raise SalienceError(DAMAGED, f"The backup is damaged: blob {digest} is missing.") from None
