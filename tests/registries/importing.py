"""An import in a process of its own: ``python -m tests.registries.importing NOUN DATABASE BROKER FOLDER``."""

import sys
from typing import Any

from sqlalchemy import Engine, func

from app.access.vault import Vault
from app.db.identifiers import new_id
from app.db.session import make_engine, transaction
from app.db.tables import ConnectionRow, DatasetImportRow, DatasetRow, ModelImportRow, ModelRow
from app.imports.importer import Importer, stays
from app.imports.nouns import DATASETS, MODELS
from app.imports.turns import MustEnd
from app.queue import TaskQueue
from app.settings import Settings
from app.storage.blobs import BlobStore


def importer(noun: str, engine: Engine, broker_url: str, folder: str, **limits: Any) -> Importer[Any, Any]:
    """Of models or data sets, into a store that is that folder."""
    networks = frozenset({"127.0.0.1/32"})
    settings = Settings(blob_store=folder, broker_url=broker_url, allowed_networks=networks, **limits)
    blobs, queue = BlobStore.from_settings(settings), TaskQueue(broker_url)
    return Importer(MODELS if noun == "models" else DATASETS, engine, Vault(None), blobs, queue, settings)


def connected(engine: Engine, kind: str, url: str, uri: str, row: ModelRow | DatasetRow) -> None:
    """The row, to be imported from there over a connection of its own."""
    connection = ConnectionRow(id=new_id(), name="c", kind=kind, url=url, auth_kind="none")
    where = {"connection_id": connection.id, "uri": uri}
    with transaction(engine) as session:
        session.add_all([connection, row])
        session.flush()
        if isinstance(row, ModelRow):
            session.add(ModelImportRow(model_id=row.id, said={}, **where))
        else:
            session.add(DatasetImportRow(dataset_id=row.id, **where))


def attempt(work: Importer[Any, Any], must_end: MustEnd = stays) -> None:
    """At what waits, whether or not it is due."""
    with transaction(work.engine) as session:
        session.query(work.noun.imports).update({"next_at": func.now()})
    claim = work.claim(frozenset())
    assert claim is not None
    work.work(claim, must_end)


if __name__ == "__main__":
    _, noun, database_url, broker_url, folder = sys.argv
    attempt(importer(noun, make_engine(database_url), broker_url, folder))
