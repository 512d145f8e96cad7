"""Secrets under a new first key: every column that a vault has sealed is sealed anew, and none was forgotten."""

from typing import Any

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import Engine, LargeBinary

from app.access.vault import Vault
from app.db.identifiers import new_id
from app.db.session import transaction
from app.db.tables import Base, ConnectionRow, HookRow, WebhookRow
from app.errors import Unavailable
from app.housekeeping.resealing import SEALED, reseal

PLAIN = {
    ("api_keys", "key_hash"),
    ("samples", "name_key"),
    ("samples", "content_sha256"),
    ("samples", "perceptual_hash"),
    ("sample_scores", "maps"),
    ("hook_deliveries", "body"),
    ("dataset_objects", "content"),
}
"""Columns of bytes that hold no secret: digests, maps, events as they came, texts beside a data set's images."""
OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()


def test_every_column_of_bytes_is_sealed_or_known_to_be_plain() -> None:
    """Who adds one says here which it is; the rotation reads SEALED."""
    sealed = {(table.__tablename__, name) for table, names in SEALED.items() for name in names}
    columns = {
        (table.name, column.name)
        for table in Base.metadata.tables.values()
        for column in table.columns
        if isinstance(column.type, LargeBinary)
    }
    assert columns == sealed | PLAIN
    assert not sealed & PLAIN


def rows(vault: Vault) -> dict[type[Any], Any]:
    """One of each table, with every secret that it can have."""
    secrets = {
        table: {name: vault.seal(f"{table.__tablename__} {name}") for name in names} for table, names in SEALED.items()
    }
    connection = ConnectionRow(
        id=new_id(), name="c", kind="mlflow", url="https://a.example", auth_kind="token", **secrets[ConnectionRow]
    )
    hook = HookRow(id=new_id(), name="h", kind="mlflow", connection_id=connection.id, **secrets[HookRow])
    webhook = WebhookRow(id=new_id(), events=[], format="standard", **secrets[WebhookRow])
    return {ConnectionRow: connection, HookRow: hook, WebhookRow: webhook}


def test_the_old_key_can_go_afterwards(engine: Engine) -> None:
    made = rows(Vault(OLD))
    assert made.keys() == SEALED.keys()
    with transaction(engine) as session:
        for row in made.values():
            session.add(row)
            session.flush()
        ids = {table: row.id for table, row in made.items()}
    count = sum(map(len, SEALED.values()))
    assert (reseal(engine, Vault(f"{NEW},{OLD}")), reseal(engine, Vault(f"{NEW},{OLD}"))) == (count, 0)
    with transaction(engine) as session:
        for table, names in SEALED.items():
            row = session.get_one(table, ids[table])
            for name in names:
                sealed = getattr(row, name)
                assert Vault(NEW).open(sealed) == f"{table.__tablename__} {name}"
                with pytest.raises(Unavailable):
                    Vault(OLD).open(sealed)
