"""Makes a backup, at any time: the database first, in one moment, then the blobs that it refers to."""

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, text
from sqlalchemy.orm import Session

from app import __version__
from app.access.secret import FILE_NAME as SECRET
from app.access.secret import OWN_FILES
from app.backup.tables import save_tables
from app.db.references import all_digests
from app.errors import SalienceError
from app.storage.blobs import BlobStore

MANIFEST = "manifest.json"
FORMAT = 1


def back_up(engine: Engine, blobs: BlobStore, data: Path, folder: Path) -> dict[str, Any]:
    """The manifest. A second backup into the same folder copies new blobs alone.

    Raises SalienceError ``backup-incomplete`` where the store lost a blob, ``storage-unavailable``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)  # rows tell what is whose, and the secret lets make keys
    (folder / MANIFEST).unlink(missing_ok=True)
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection, connection.begin():
        tables = [table.to_json() for table in save_tables(connection, folder / "tables")]
        manifest = {"format": FORMAT, "version": __version__, "revision": _revision(connection), "tables": tables}
        digests = sorted(all_digests(Session(connection)))
    for digest in digests:
        _save_blob(blobs, digest, folder / "blobs")
    for name in OWN_FILES:
        if (data / name).exists():
            shutil.copy(data / name, folder / name)
    manifest |= {"blobs": digests, "secret": (folder / SECRET).exists()}
    draft = folder / f"{MANIFEST}.draft"
    draft.write_text(json.dumps(manifest, indent=2), encoding="utf-8")
    draft.replace(folder / MANIFEST)
    return manifest


def blob_name(digest: str) -> str:
    """Its file's name."""
    return digest.partition(":")[2]


def _save_blob(blobs: BlobStore, digest: str, folder: Path) -> None:
    path = folder / blob_name(digest)
    if path.exists():
        return
    folder.mkdir(exist_ok=True)
    draft = path.with_suffix(".draft")
    found = hashlib.sha256()
    try:
        with draft.open("wb") as file:
            for chunk in blobs.read(digest):
                found.update(chunk)
                file.write(chunk)
    except FileNotFoundError:
        draft.unlink()
        raise SalienceError("backup-incomplete", f"The blob store has lost {digest}; nothing was finished.") from None
    if found.hexdigest() != blob_name(digest):
        draft.unlink()
        raise SalienceError("backup-incomplete", f"The blob store has changed {digest}; nothing was finished.")
    draft.replace(path)


def _revision(connection: Connection) -> str:
    return str(connection.scalar(text("SELECT version_num FROM alembic_version")))
